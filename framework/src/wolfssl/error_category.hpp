#pragma once

#include <boost/system/error_code.hpp>

namespace livetls::wolfssl {

/// The livetls error that says what a wolfSSL error code means for the caller; where there is none,
/// the code itself in a category of its own, whose messages are the library's.
boost::system::error_code to_error_code(int wolfssl_error) noexcept;

}  // namespace livetls::wolfssl
