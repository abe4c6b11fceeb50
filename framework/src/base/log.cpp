#include "livetls/base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <utility>

namespace livetls {
namespace {

std::function<void(LogLevel, std::string_view)> sink;
std::atomic<LogLevel> threshold = LogLevel::info;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: break;
  }
  return spdlog::level::err;
}

spdlog::logger& default_logger() {
  static const auto logger = [] {
    auto made = spdlog::stderr_color_mt("livetls");
    made->set_level(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  if (level < threshold.load(std::memory_order_relaxed)) return;
  try {
    if (sink) {
      sink(level, message);
    } else {
      default_logger().log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
    }
  } catch (...) {  // what is logged is often an error already, and must not become another
  }
}

void set_log_sink(std::function<void(LogLevel, std::string_view)> new_sink) {
  sink = std::move(new_sink);
}

void set_log_level(LogLevel level) { threshold.store(level, std::memory_order_relaxed); }

}  // namespace livetls
