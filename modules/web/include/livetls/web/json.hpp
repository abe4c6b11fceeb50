#pragma once

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "livetls/web/http_error.hpp"
#include "livetls/web/request.hpp"
#include "livetls/web/to_response.hpp"

namespace livetls::web {

/// A struct whose members BOOST_DESCRIBE_STRUCT has named.
template <class T>
concept Described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

/// A body in JSON, read into a T: a described struct, std::vector, std::map by std::string or
/// std::optional of these, numbers, bool, std::string, described enums, and boost::json::value.
/// Members that are no std::optional must be there; others than T has are passed over.
///
///     struct NewUser { std::string name; std::optional<int> age; };
///     BOOST_DESCRIBE_STRUCT(NewUser, (), (name, age))
///
///     router.post("/users", [](Json<NewUser> user) { … user->name … });
///
/// What is no JSON, or not in UTF-8, or nested deeper than 32, is a 400; another Content-Type than
/// JSON's a 415; what is no T a 422, which names the member: "items[2].price: is no number". As the
/// result of a handler it is a response in JSON, as described structs are without it.
template <class T>
struct Json {
  T value;
  const T& operator*() const& noexcept { return value; }
  T&& operator*() && noexcept { return std::move(value); }
  const T* operator->() const noexcept { return &value; }

  static Json from_request(const Request& request);
};

namespace detail {

/// Where in a document a value is.
struct JsonPlace {
  const JsonPlace* outer = nullptr;
  std::string_view member = {};
  std::size_t index = 0;
};

/// 422, with the place.
[[noreturn]] void refuse_json(const JsonPlace& place, std::string_view why);

/// The body, parsed. 415 and 400.
boost::json::value json_body(const Request& request);

template <class T>
using DescribedMembers = boost::describe::describe_members<T, boost::describe::mod_any_access |
                                                                  boost::describe::mod_inherited>;

template <class T>
T from_json(const boost::json::value& json, const JsonPlace& place);

template <class T>
struct JsonReader;

template <>
struct JsonReader<boost::json::value> {
  static boost::json::value read(const boost::json::value& json, const JsonPlace&) { return json; }
};

template <>
struct JsonReader<bool> {
  static bool read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_bool()) refuse_json(place, "is neither true nor false");
    return json.get_bool();
  }
};

template <>
struct JsonReader<std::string> {
  static std::string read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_string()) refuse_json(place, "is no string");
    return std::string(json.get_string());
  }
};

template <std::integral T>
struct JsonReader<T> {
  static T read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_int64() && !json.is_uint64()) refuse_json(place, "is no whole number");
    boost::system::error_code error;
    const T number = json.to_number<T>(error);
    if (error) refuse_json(place, "is out of range");
    return number;
  }
};

template <std::floating_point T>
struct JsonReader<T> {
  static T read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_number()) refuse_json(place, "is no number");
    return json.to_number<T>();
  }
};

template <DescribedEnum T>
struct JsonReader<T> {
  static T read(const boost::json::value& json, const JsonPlace& place) {
    const std::string name = JsonReader<std::string>::read(json, place);
    T value{};
    if (!boost::describe::enum_from_string(name.c_str(), value)) {
      refuse_json(place, "is none of the values that are allowed");
    }
    return value;
  }
};

template <class T>
struct JsonReader<std::optional<T>> {
  static std::optional<T> read(const boost::json::value& json, const JsonPlace& place) {
    if (json.is_null()) return std::nullopt;
    return from_json<T>(json, place);
  }
};

template <class T>
struct JsonReader<std::vector<T>> {
  static std::vector<T> read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_array()) refuse_json(place, "is no array");
    std::vector<T> values;
    for (const boost::json::value& element : json.get_array()) {
      values.push_back(from_json<T>(element, {.outer = &place, .index = values.size()}));
    }
    return values;
  }
};

template <class T>
struct JsonReader<std::map<std::string, T>> {
  static std::map<std::string, T> read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_object()) refuse_json(place, "is no object");
    std::map<std::string, T> values;
    for (const auto& [name, value] : json.get_object()) {
      values.emplace(name, from_json<T>(value, {.outer = &place, .member = name}));
    }
    return values;
  }
};

template <Described T>
struct JsonReader<T> {
  static T read(const boost::json::value& json, const JsonPlace& place) {
    if (!json.is_object()) refuse_json(place, "is no object");
    const boost::json::object& object = json.get_object();
    T value{};
    boost::mp11::mp_for_each<DescribedMembers<T>>([&](auto member) {
      auto& target = value.*member.pointer;
      using Member = std::remove_reference_t<decltype(target)>;
      const JsonPlace inner{.outer = &place, .member = member.name};
      if (const boost::json::value* found = object.if_contains(member.name)) {
        target = from_json<Member>(*found, inner);
      } else if constexpr (!requires { target.reset(); }) {
        refuse_json(inner, "is missing");
      }
    });
    return value;
  }
};

template <class T>
T from_json(const boost::json::value& json, const JsonPlace& place) {
  return JsonReader<T>::read(json, place);
}

template <class T>
boost::json::value to_json(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::convertible_to<T, boost::json::value>) {
    return value;
  } else if constexpr (std::convertible_to<T, std::string_view>) {
    return boost::json::string(std::string_view(value));
  } else if constexpr (DescribedEnum<T>) {
    return boost::json::string(boost::describe::enum_to_string(value, ""));
  } else if constexpr (requires { value.has_value(); }) {
    return value ? to_json(*value) : boost::json::value();
  } else if constexpr (Described<T>) {
    boost::json::object object;
    boost::mp11::mp_for_each<DescribedMembers<T>>(
        [&](auto member) { object[member.name] = to_json(value.*member.pointer); });
    return object;
  } else if constexpr (requires { typename T::mapped_type; }) {
    boost::json::object object;
    for (const auto& [name, element] : value) object[name] = to_json(element);
    return object;
  } else {
    boost::json::array array;
    for (const auto& element : value) array.push_back(to_json(element));
    return array;
  }
}

}  // namespace detail

template <class T>
Json<T> Json<T>::from_request(const Request& request) {
  return {detail::from_json<T>(detail::json_body(request), {})};
}

// ---- Responses ---------------------------------------------------------------------------------

template <>
struct ToResponse<boost::json::value> {
  static Response convert(const boost::json::value& json) { return Response::json(json); }
};

template <>
struct ToResponse<boost::json::object> {
  static Response convert(const boost::json::object& json) { return Response::json(json); }
};

template <class T>
struct ToResponse<Json<T>> {
  static Response convert(const Json<T>& json) {
    return Response::json(detail::to_json(json.value));
  }
};

template <Described T>
struct ToResponse<T> {
  static Response convert(const T& value) { return Response::json(detail::to_json(value)); }
};

template <class T>
struct ToResponse<std::vector<T>> {
  static Response convert(const std::vector<T>& values) {
    return Response::json(detail::to_json(values));
  }
};

}  // namespace livetls::web
