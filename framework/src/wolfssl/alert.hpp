#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>

namespace livetls::wolfssl {

/// RFC 8446, section 6: those that livetls sends itself.
enum Alert : std::uint8_t {
  kDecodeError = 50,
  kHandshakeFailure = 40,
  kIllegalParameter = 47,
  kInternalError = 80,
  kMissingExtension = 109,
  kUnrecognizedName = 112,
  kNoApplicationProtocol = 120,
};

/// What tells the peer of a failure before anything is encrypted, and no more than that.
Alert alert_for(boost::system::error_code reason);

}  // namespace livetls::wolfssl
