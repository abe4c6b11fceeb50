#include "livetls/web/method.hpp"

#include <array>

namespace livetls::web {
namespace {

constexpr std::array<std::string_view, kRoutableMethods> kNames = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

}  // namespace

Method method_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Method>(i);
  }
  return Method::other;
}

std::string_view to_string(Method method) noexcept {
  return method == Method::other ? std::string_view() : kNames[static_cast<std::size_t>(method)];
}

}  // namespace livetls::web
