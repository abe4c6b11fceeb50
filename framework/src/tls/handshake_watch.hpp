#pragma once

#include <array>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "livetls/tls/client_hello.hpp"

namespace livetls {

/// Reads what a peer sends before anything is encrypted, byte for byte as the TLS library takes it,
/// and finds what the library lets pass: a public key of the peer's that is not a point on its
/// curve (RFC 8446, section 4.2.8.2; RFC 8422, section 5.10), and a second ClientHello that
/// ClientHello itself would refuse. Both roles, TLS 1.2 and 1.3.
class HandshakeWatch {
 public:
  /// For a server, whose first ClientHello has been read before: it is not read again.
  void skip_client_hello() { skips_message_ = true; }

  /// Whether the key shares of a ClientHello are points on their curves. Errors: invalid_key_share.
  static boost::system::error_code check_shares(const ClientHello& hello);

  /// The next bytes, of whole records or parts of them. `encrypts_after_change`: a
  /// ChangeCipherSpec in them is the last thing that can be read, as in TLS 1.2. Errors:
  /// invalid_key_share, malformed_client_hello, protocol_violation; the library must not see these
  /// bytes then.
  boost::system::error_code see(std::span<const std::uint8_t> bytes, bool encrypts_after_change);

 private:
  using Bytes = std::span<const std::uint8_t>;

  void begin_record(bool encrypts_after_change);
  boost::system::error_code see_handshake(Bytes& fragment);
  bool take_header(Bytes& fragment);

  bool over_ = false;
  bool skips_message_ = false;
  std::array<std::uint8_t, 5> record_header_;
  std::size_t record_header_size_ = 0;
  std::size_t record_left_ = 0;

  std::array<std::uint8_t, 4> message_header_;
  std::size_t message_header_size_ = 0;
  std::size_t message_left_ = 0;
  std::vector<std::uint8_t> message_;  // where it did not come in one piece
};

}  // namespace livetls
