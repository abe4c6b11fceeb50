#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "livetls/base/result.hpp"

namespace livetls {

/// Big-endian 16-bit code points as a ClientHello carries them, read in place.
class CodePoints {
 public:
  CodePoints() = default;
  explicit CodePoints(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}

  std::size_t size() const noexcept { return bytes_.size() / 2; }
  bool empty() const noexcept { return bytes_.empty(); }
  std::uint16_t operator[](std::size_t index) const noexcept {
    return static_cast<std::uint16_t>(bytes_[2 * index] << 8 | bytes_[2 * index + 1]);
  }
  bool contains(std::uint16_t code) const noexcept;

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Protocol names of the ALPN extension, read in place (RFC 7301, section 3.1).
class AlpnProtocols {
 public:
  AlpnProtocols() = default;
  explicit AlpnProtocols(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}

  bool empty() const noexcept { return bytes_.empty(); }
  bool contains(std::string_view protocol) const noexcept;

 private:
  std::span<const std::uint8_t> bytes_;
};

/// A client's half of a key exchange (RFC 8446, section 4.2.8), read in place.
struct KeyShare {
  std::uint16_t group = 0;
  std::span<const std::uint8_t> key;
};

/// Those that a client offers, no group twice.
class KeyShares {
 public:
  /// More than any client needs. The TLS library's time grows with the square of their number.
  static constexpr std::size_t kMax = 8;

  const KeyShare* begin() const noexcept { return shares_.data(); }
  const KeyShare* end() const noexcept { return shares_.data() + size_; }
  std::size_t size() const noexcept { return size_; }

  /// False where there are too many, or one of this group already.
  bool add(KeyShare share) noexcept;

 private:
  std::array<KeyShare, kMax> shares_;
  std::size_t size_ = 0;
};

/// What a client offers in its first message (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2):
/// all that the choice of a certificate may depend on. A view: valid while the bytes it was read
/// from are.
struct ClientHello {
  std::span<const std::uint8_t> body;  ///< of the handshake message: all that follows is in it
  std::uint16_t legacy_version = 0;
  CodePoints cipher_suites;

  /// server_name as sent, empty where the client sent none (RFC 6066, section 3).
  std::string_view server_name;
  AlpnProtocols alpn;
  CodePoints supported_versions;
  CodePoints supported_groups;
  KeyShares key_shares;
  CodePoints signature_algorithms;
  CodePoints signature_algorithms_cert;
  std::span<const std::uint8_t> session_ticket;  ///< for TLS 1.2 (RFC 5077, section 3.2)

  bool offers_tls13() const noexcept { return supported_versions.contains(0x0304); }

  /// Parses the body of one handshake message of type client_hello. Strict: whatever RFC 8446 calls
  /// malformed is malformed here, never "no name". Errors: malformed_client_hello;
  /// invalid_key_share for a group that is offered twice, or more than KeyShares::kMax.
  static Result<ClientHello> parse(std::span<const std::uint8_t> body);
};

/// Finds a ClientHello in the first bytes of a connection, however they arrive: in pieces, and
/// split over several records. Only looks; the bytes stay with their owner, for the TLS library to
/// read.
class ClientHelloReader {
 public:
  static constexpr std::size_t kMaxMessageBytes = 32 * 1024;

  /// With the headers of its records, of which there may be one for each byte.
  static constexpr std::size_t kMaxRecordBytesInAll = kMaxMessageBytes + 8 * 1024;

  /// `input`: all bytes of the connection so far. Call again with more while it answers nullptr.
  /// The result is valid until `input` moves. Errors: not_tls, plain_http, client_hello_too_large,
  /// and those of ClientHello::parse.
  Result<const ClientHello*> read(std::span<const std::uint8_t> input);

 private:
  Result<bool> collect_records(std::span<const std::uint8_t> input);
  Result<bool> add_fragment(std::span<const std::uint8_t> fragment);

  std::size_t examined_ = 0;             // bytes of input in records that are done with
  std::vector<std::uint8_t> collected_;  // the message, when records split it
  std::span<const std::uint8_t> message_;
  ClientHello hello_;
};

}  // namespace livetls
