#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "livetls/web/arguments.hpp"
#include "livetls/web/http_error.hpp"
#include "livetls/web/request.hpp"

namespace livetls::web {

using FormFields = std::vector<std::pair<std::string, std::string>>;

/// The fields of an HTML form (application/x-www-form-urlencoded), decoded, in their order. Throws
/// HttpError: 415 for another Content-Type, 400 for a malformed escape.
FormFields form_fields(const Request& request);

/// The same, read into a struct that BOOST_DESCRIBE_STRUCT has described, whose members are
/// numbers, bool, std::string, or a std::optional or std::vector of these:
///
///     router.post("/login", [](Form<Login> login) { … login->user … });
///
/// A field that is missing or malformed is a 422 that names it.
template <class T>
struct Form {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  static Form from_request(const Request& request);
};

namespace detail {

template <class T>
T form_value(std::string_view name, std::string_view text) {
  std::optional<T> value = parse_argument<T>(text);
  if (!value) throw HttpError(422, std::string(name) + " is not of the type that is expected");
  return *std::move(value);
}

template <class T>
struct FormReader {
  static void read(T& into, std::string_view name, const FormFields& fields) {
    for (const auto& [key, text] : fields) {
      if (key != name) continue;
      into = form_value<T>(name, text);
      return;
    }
    throw HttpError(422, std::string(name) + " is missing");
  }
};

template <class T>
struct FormReader<std::optional<T>> {
  static void read(std::optional<T>& into, std::string_view name, const FormFields& fields) {
    for (const auto& [key, text] : fields) {
      if (key == name && !into) into = form_value<T>(name, text);
    }
  }
};

template <class T>
struct FormReader<std::vector<T>> {
  static void read(std::vector<T>& into, std::string_view name, const FormFields& fields) {
    for (const auto& [key, text] : fields) {
      if (key == name) into.push_back(form_value<T>(name, text));
    }
  }
};

}  // namespace detail

template <class T>
Form<T> Form<T>::from_request(const Request& request) {
  static_assert(boost::describe::has_describe_members<T>::value,
                "the struct of a Form is described by BOOST_DESCRIBE_STRUCT");
  const FormFields fields = form_fields(request);
  Form form{};
  using Members = boost::describe::describe_members<T, boost::describe::mod_any_access |
                                                           boost::describe::mod_inherited>;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    auto& target = form.value.*member.pointer;
    using Member = std::remove_reference_t<decltype(target)>;
    detail::FormReader<Member>::read(target, member.name, fields);
  });
  return form;
}

}  // namespace livetls::web
