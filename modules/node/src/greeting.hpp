#pragma once

#include "core.hpp"
#include "handshake.hpp"
#include "link.hpp"
#include "livetls/tcp/message_stream.hpp"

namespace livetls::node {

/// Of a connection while nodes shake hands on it.
tcp::LengthField handshake_framing();
tcp::MessageOptions handshake_limits(std::chrono::steady_clock::duration each);

/// What is known of a connection whose other end wants to be a node.
struct Line {
  tcp::MessageStream& messages;
  Connection& connection;
  std::span<const std::uint8_t> cookie;
  bool plain = false;
  bool skip_verify = false;

  Binding binding() const;

  /// The next message of a handshake.
  Task<Result<std::string>> read();
};

/// The caller's side. `ours` is what it says; the peer must be `expected`. What the peer said.
/// Errors: those of a node's handshake, and the transport's.
Task<Result<Hello>> greet_as_dialler(std::shared_ptr<Core> core, Line line, Hello ours,
                                     NodeName expected);

/// The other side: the connection is part of a link then.
Task<Result<OpenLane>> greet_as_acceptor(std::shared_ptr<Core> core, Line line,
                                         std::uint64_t our_generation);

Hello make_hello(const Core& core, std::uint64_t generation);

Peer peer_on(const Line& line, NodeName name, const Hello& theirs, std::uint64_t our_generation);

}  // namespace livetls::node
