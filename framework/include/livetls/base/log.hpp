#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace livetls {

enum class LogLevel { debug, info, warning, error };

/// For the operator: goes to standard error unless set_log_sink says otherwise. Any thread.
void log(LogLevel level, std::string_view message);

/// Sends all messages to `sink` instead, which may be called from any thread. Call it before
/// servers start. An empty sink restores the default.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);

/// Messages below this are dropped; info at first.
void set_log_level(LogLevel level);

}  // namespace livetls
