#pragma once

#include <boost/system/error_code.hpp>
#include <chrono>
#include <optional>
#include <string_view>

namespace livetls {

class Connection;

/// Allows so many lines a second, so that nobody fills a log.
class LineBudget {
 public:
  static constexpr int kLinesPerSecond = 10;

  /// Whether a line may be written now: how many were left out before it; empty where it is one of
  /// them.
  std::optional<int> take(std::chrono::steady_clock::time_point now);

 private:
  std::chrono::steady_clock::time_point second_begins_ = {};
  int lines_ = 0;
  int left_out_ = 0;
};

/// Tells operators why peers were rejected. Of one thread.
class RefusalLog {
 public:
  void log(std::string_view what, const Connection& connection, boost::system::error_code error);

 private:
  LineBudget budget_;
};

}  // namespace livetls
