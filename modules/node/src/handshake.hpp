#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"
#include "livetls/node/error.hpp"
#include "livetls/node/node_name.hpp"
#include "livetls/tls/tls_engine.hpp"

namespace livetls::node {

/// The node handshake, behind that of TLS, without a socket. Each side says hello; then the one
/// that dialled proves that it knows the cookie, and the other one answers with a verdict:
///
///     hello:   "LTN" | versions, first and last 1+1 | generation 8 | incarnation 8
///              | largest payload 4 | nonce 32 | link 16 | number of the connection 1 | of how many
///              1 | name
///     proof:   HMAC-SHA-256(cookie, role | channel binding | dialler's hello | acceptor's hello)
///     verdict: 0 and the acceptor's proof, or why not
///
/// The channel binding is TLS's exporter (RFC 9266): whoever passes a handshake on between two
/// connections has two of them. Certificates are no part of it, so rotating them meanwhile harms
/// nothing.
struct Hello {
  using Nonce = std::array<std::uint8_t, 32>;
  using LinkId = std::array<std::uint8_t, 16>;

  std::uint8_t min_version = 1;
  std::uint8_t max_version = 1;
  std::uint64_t generation = 0;
  std::uint64_t incarnation = 0;  ///< by chance, for the node's life
  std::uint32_t max_payload = 0;
  Nonce nonce = {};
  LinkId link = {};             ///< the dialler's; the acceptor repeats it
  std::uint8_t connection = 0;  ///< of the link, from 0
  std::uint8_t connections = 1;
  std::string name = {};

  friend bool operator==(const Hello&, const Hello&) = default;
};

constexpr std::size_t kMaxHandshakeBytes = 512;
constexpr std::size_t kMaxConnections = 16;  // of a link

std::string to_bytes(const Hello& hello);

/// Errors: handshake_malformed, wrong_version.
Result<Hello> parse_hello(std::string_view text);

enum class Role : std::uint8_t { dialler = 'D', acceptor = 'A' };

/// Empty on plain links.
using Binding = std::optional<ChannelBinding>;

/// The hellos are as they were sent.
std::string prove(std::span<const std::uint8_t> cookie, Role role, const Binding& binding,
                  std::string_view dialler_hello, std::string_view acceptor_hello);

/// In constant time.
bool is_proof(std::string_view shown, const std::string& expected) noexcept;

std::string accept_with(const std::string& proof);
std::string refuse_with(NodeErrc reason);

/// The acceptor's proof. Errors: what it refused with; handshake_malformed.
Result<std::string> parse_verdict(std::string_view text);

}  // namespace livetls::node
