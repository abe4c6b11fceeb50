#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "livetls/web/http_error.hpp"
#include "livetls/web/request.hpp"

namespace livetls::web {

/// What a handler may take beside, or instead of, the Request: any type that can make itself of
/// one. Where it cannot, it throws an HttpError.
///
///     router.get("/users/{id}", [](Path<"id", int> id, Query<"full", std::optional<bool>> full) …
///
///     struct Caller {  // one of yours
///       std::string name;
///       static Caller from_request(Request& request);
///     };
template <class T>
concept FromRequest = requires(Request& request) {
  { T::from_request(request) } -> std::same_as<T>;
};

/// A name that is part of a type.
template <std::size_t kSize>
struct ArgumentName {
  consteval ArgumentName(const char (&text)[kSize]) { std::copy_n(text, kSize, characters); }
  constexpr std::string_view view() const { return {characters, kSize - 1}; }
  char characters[kSize];
};

/// A whole number in decimal, a decimal fraction, true or false, or any text; nothing where `text`
/// is none.
template <class T>
std::optional<T> parse_argument(std::string_view text) {
  if constexpr (std::same_as<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::same_as<T, bool>) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
  } else {
    static_assert(std::is_arithmetic_v<T>, "an argument is a number, a bool or a std::string");
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
  }
}

/// What stands for `{name}` in the path. Where it is no T, there is no such path: 404.
template <ArgumentName kName, class T = std::string>
struct Path {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  static Path from_request(const Request& request) {
    std::optional<T> value = parse_argument<T>(request.param(kName.view()));
    if (!value) throw HttpError(404);
    return {*std::move(value)};
  }
};

namespace detail {

template <class T>
struct Optional : std::false_type {
  using Value = T;
};
template <class T>
struct Optional<std::optional<T>> : std::true_type {
  using Value = T;
};

/// `text` as a T, which may be an optional. `what` is what the client is told it was.
template <class T>
T argument(const std::optional<std::string>& text, const std::string& what) {
  if (!text) {
    if constexpr (Optional<T>::value) {
      return std::nullopt;
    } else {
      throw HttpError(400, what + " is missing");
    }
  } else {
    using Value = typename Optional<T>::Value;
    std::optional<Value> value = parse_argument<Value>(*text);
    if (!value) throw HttpError(400, what + " is not of the type that is expected");
    return *std::move(value);
  }
}

}  // namespace detail

/// The first value of a name in the query. A missing or malformed one is a 400, unless T is an
/// optional, which may be missing.
template <ArgumentName kName, class T = std::string>
struct Query {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  static Query from_request(const Request& request) {
    const std::string name(kName.view());
    return {detail::argument<T>(request.query_param(name), "the query's " + name)};
  }
};

/// The first value of a header field; as Query else.
template <ArgumentName kName, class T = std::string>
struct Header {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  static Header from_request(const Request& request) {
    std::optional<std::string> text;
    if (const auto found = request.headers.find(kName.view())) text.emplace(*found);
    return {detail::argument<T>(text, "the header field " + std::string(kName.view()))};
  }
};

}  // namespace livetls::web
