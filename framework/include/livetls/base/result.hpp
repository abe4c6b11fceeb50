#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include "livetls/base/error.hpp"

namespace livetls {

/// What a function returns whose failure is expected: a value, or an Error.
/// `value()` on an error throws boost::system::system_error with the error's message.
template <class T>
using Result = boost::system::result<T, Error>;

/// Found by boost::system::result through argument-dependent lookup.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

}  // namespace livetls
