#include "net/refusal_log.hpp"

#include <sstream>
#include <utility>

#include "livetls/base/log.hpp"
#include "livetls/net/connection.hpp"
#include "pki/ascii.hpp"

namespace livetls {

std::optional<int> LineBudget::take(std::chrono::steady_clock::time_point now) {
  if (now - second_begins_ >= std::chrono::seconds(1)) {
    second_begins_ = now;
    lines_ = 0;
  }
  if (lines_ == kLinesPerSecond) {
    ++left_out_;
    return {};
  }
  ++lines_;
  return std::exchange(left_out_, 0);
}

void RefusalLog::log(std::string_view what, const Connection& connection,
                     boost::system::error_code error) {
  const std::optional<int> left_out = budget_.take(std::chrono::steady_clock::now());
  if (!left_out) return;
  std::ostringstream line;
  line << what << ": peer " << connection.remote_endpoint();
  if (!connection.server_name().empty()) {
    line << ", server name " << printable(connection.server_name());
  }
  line << ": ";
  if (!connection.refusal_reason().empty()) line << connection.refusal_reason() << ": ";
  line << error.message();
  if (*left_out > 0) line << " (and " << *left_out << " more)";
  livetls::log(LogLevel::info, line.str());
}

}  // namespace livetls
