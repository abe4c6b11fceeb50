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
/// and finds what the library lets pass: a public key of the peer's that is not a point of the
/// group that was agreed on (RFC 8446, section 4.2.8.2; RFC 8422, section 5.10; RFC 7748,
/// section 6.1), none at all, and a second ClientHello that ClientHello itself would refuse, or
/// that differs from the first in what the answer was chosen by. Both roles, TLS 1.2 and 1.3.
class HandshakeWatch {
 public:
  /// For a server, whose first ClientHello has been read before: it is not read again, and kept
  /// for the case that there is a second one.
  void keep_client_hello(const ClientHello& hello);

  /// Whether the key shares of a ClientHello are points on their curves. Errors: invalid_key_share.
  static boost::system::error_code check_shares(const ClientHello& hello);

  /// What the library has agreed on so far.
  struct Agreed {
    bool tls13 = false;       ///< not TLS 1.2, where nothing can be read after a ChangeCipherSpec
    std::uint16_t group = 0;  ///< of a server in TLS 1.2: the one that it has offered a key of
  };

  /// The next bytes, of whole records or parts of them. Errors: invalid_key_share,
  /// malformed_client_hello, client_hello_changed, protocol_violation; the library must not see
  /// these bytes then.
  boost::system::error_code see(std::span<const std::uint8_t> bytes, const Agreed& agreed);

 private:
  using Bytes = std::span<const std::uint8_t>;

  void begin_record(const Agreed& agreed);
  boost::system::error_code see_handshake(Bytes& fragment, const Agreed& agreed);
  bool take_header(Bytes& fragment);

  boost::system::error_code check(std::uint8_t type, Bytes body, const Agreed& agreed) const;
  boost::system::error_code check_client_hello(Bytes body) const;

  std::vector<std::uint8_t> first_hello_;  // its body; empty where no second one may come
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
