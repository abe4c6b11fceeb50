#include "header_parameters.hpp"

#include <algorithm>

#include "ascii.hpp"

namespace livetls::web {
namespace {

void skip_spaces(std::string_view& text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
}

/// Takes a quoted string or a token off the front.
std::string take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const std::string_view token = text.substr(0, text.find_first_of("; \t"));
    text.remove_prefix(token.size());
    return std::string(token);
  }
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  text.remove_prefix(std::min(text.size(), i + 1));
  return value;
}

}  // namespace

std::string_view without_parameters(std::string_view field) noexcept {
  return field.substr(0, field.find_first_of("; \t"));
}

std::optional<std::string> header_parameter(std::string_view field, std::string_view name) {
  field.remove_prefix(without_parameters(field).size());
  for (;;) {
    skip_spaces(field);
    if (!field.starts_with(';')) return std::nullopt;
    field.remove_prefix(1);
    skip_spaces(field);
    const std::string_view found = field.substr(0, field.find_first_of("=; \t"));
    field.remove_prefix(found.size());
    if (!field.starts_with('=')) continue;
    field.remove_prefix(1);
    std::string value = take_value(field);
    if (equal_ignoring_case(found, name)) return value;
  }
}

}  // namespace livetls::web
