#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "livetls/base/log.hpp"

namespace livetls::test {

/// Takes what is logged while it lives. Make it before the servers, and let it outlive them.
class CapturedLog {
 public:
  CapturedLog() {
    set_log_sink([this](LogLevel, std::string_view message) {
      const std::scoped_lock lock(mutex_);
      text_.append(message).append("\n");
    });
  }
  ~CapturedLog() { set_log_sink({}); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  std::string text() const {
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace livetls::test
