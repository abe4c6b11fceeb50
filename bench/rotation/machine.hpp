#pragma once

#include <boost/json/object.hpp>

namespace livetls::bench {

/// What a figure cannot be read without: processor, kernel, compiler, wolfSSL, and how busy the
/// machine was before.
boost::json::object describe_machine();

}  // namespace livetls::bench
