#include "livetls/web/headers.hpp"

#include <algorithm>
#include <stdexcept>

#include "ascii.hpp"

namespace livetls::web {
namespace {

bool is_token_char(char c) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\t';
}

void check(std::string_view name, std::string_view value) {
  if (name.empty() || !std::ranges::all_of(name, is_token_char)) {
    throw std::invalid_argument("a header's name must be a token");
  }
  if (!std::ranges::all_of(value, is_value_char)) {
    throw std::invalid_argument("the value of header " + std::string(name) +
                                " holds a line break or another control character");
  }
}

}  // namespace

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  const auto is_it = [&](const Field& field) { return equal_ignoring_case(field.name, name); };
  const auto field = std::ranges::find_if(fields_, is_it);
  return field == fields_.end() ? std::nullopt : std::optional<std::string_view>(field->value);
}

std::string_view Headers::operator[](std::string_view name) const noexcept {
  return find(name).value_or(std::string_view());
}

std::size_t Headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields_, [&](const Field& field) { return equal_ignoring_case(field.name, name); }));
}

void Headers::set(std::string_view name, std::string_view value) {
  check(name, value);
  Field field{std::string(name), std::string(value)};
  erase(field.name);
  fields_.push_back(std::move(field));
}

void Headers::add(std::string_view name, std::string_view value) {
  check(name, value);
  Field field{std::string(name), std::string(value)};
  fields_.push_back(std::move(field));
}

void Headers::erase(std::string_view name) noexcept {
  std::erase_if(fields_, [&](const Field& field) { return equal_ignoring_case(field.name, name); });
}

}  // namespace livetls::web
