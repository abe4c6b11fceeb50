#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "livetls/base/result.hpp"
#include "livetls/web/response.hpp"

namespace livetls::web {

/// A status without a body; from 400 on with its name as a text.
struct Status {
  int code;
};

/// What a handler may return instead of a Response: text, a Status, a Result of these, and, with
/// json.hpp, JSON. Specialise it for types of your own:
///
///     template <>
///     struct ToResponse<Invoice> {
///       static Response convert(const Invoice& invoice);
///     };
template <class T>
struct ToResponse;

template <class T>
concept Responds = requires(T value) {
  { ToResponse<T>::convert(std::move(value)) } -> std::same_as<Response>;
};

template <>
struct ToResponse<Response> {
  static Response convert(Response&& response) { return std::move(response); }
};

template <>
struct ToResponse<std::string> {
  static Response convert(std::string&& text) { return Response::text(std::move(text)); }
};

template <>
struct ToResponse<std::string_view> {
  static Response convert(std::string_view text) { return Response::text(std::string(text)); }
};

template <>
struct ToResponse<const char*> {
  static Response convert(const char* text) { return Response::text(text); }
};

template <>
struct ToResponse<Status> {
  static Response convert(Status status) { return Response::status(status.code); }
};

/// A failure is thrown, for Router::on_error to map.
template <Responds T, class E>
struct ToResponse<boost::system::result<T, E>> {
  static Response convert(boost::system::result<T, E>&& result) {
    if (result.has_error()) throw std::move(result).error();
    return ToResponse<T>::convert(*std::move(result));
  }
};

}  // namespace livetls::web
