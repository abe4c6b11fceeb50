#include "greeting.hpp"

#include <utility>

#include "livetls/base/random_bytes.hpp"

namespace livetls::node {
namespace {

/// Who calls, as far as its hello and its certificate say. Errors: handshake_malformed,
/// no_channel_binding, peer_not_verified, host_not_certified.
Result<NodeName> check_caller(const Core& core, const Line& line, const Hello& theirs) {
  const auto name = NodeName::parse(theirs.name);
  if (!name || *name == core.name) return Error(NodeErrc::handshake_malformed, "the caller's name");
  if (theirs.connections > kMaxConnections) return Error(NodeErrc::too_many_connections);
  if (line.plain) return *name;
  if (!line.binding()) return Error(NodeErrc::no_channel_binding);
  if (line.skip_verify) return *name;
  const auto certificate = line.connection.peer_certificate();
  if (!certificate || !line.connection.peer_is_verified()) {
    return Error(NodeErrc::peer_not_verified, name->text());
  }
  if (core.options.verify_peer_host && !certificate->matches(name->host())) {
    return Error(NodeErrc::host_not_certified, name->text());
  }
  return *name;
}

/// What is told to a peer of why it is refused.
NodeErrc refusal(const Error& error) {
  const bool ours = error.code.category() == node_category();
  return ours ? static_cast<NodeErrc>(error.code.value()) : NodeErrc::handshake_malformed;
}

}  // namespace

tcp::LengthField handshake_framing() { return {.bytes = 4, .max_bytes = kMaxHandshakeBytes}; }

tcp::MessageOptions handshake_limits(std::chrono::steady_clock::duration each) {
  return {.idle_timeout = each, .message_timeout = each, .write_timeout = each};
}

Binding Line::binding() const { return connection.channel_binding(); }

Task<Result<std::string>> Line::read() {
  const auto message = co_await messages.read();
  if (!message) co_return message.error();
  if (!*message) co_return Error(NodeErrc::link_down, "the peer has ended it");
  co_return std::string((*message)->payload);
}

Hello make_hello(const Core& core, std::uint64_t generation) {
  Hello hello{.generation = generation,
              .incarnation = core.incarnation,
              .max_payload = static_cast<std::uint32_t>(core.options.max_message_bytes),
              .name = core.name.text()};
  random_bytes(hello.nonce);
  return hello;
}

Peer peer_on(const Line& line, NodeName name, const Hello& theirs, std::uint64_t our_generation) {
  return {.name = std::move(name),
          .certificate = line.connection.peer_certificate(),
          .is_verified = line.connection.peer_is_verified(),
          .generation = theirs.generation,
          .our_generation = our_generation};
}

Task<Result<Hello>> greet_as_dialler(std::shared_ptr<Core> core, Line line, Hello ours,
                                     NodeName expected) {
  if (!line.plain && !line.binding()) co_return Error(NodeErrc::no_channel_binding);
  const std::string our_hello = to_bytes(ours);
  auto sent = co_await line.messages.write(our_hello);
  if (!sent) co_return sent.error();
  const auto their_hello = co_await line.read();
  if (!their_hello) co_return their_hello.error();
  auto theirs = parse_hello(*their_hello);
  if (!theirs) co_return theirs.error();
  if (theirs->name != expected.text()) co_return Error(NodeErrc::wrong_name, theirs->name);
  const bool is_first = ours.connection == 0;
  if (is_first && !core->links.begin_call(expected.text())) {
    co_return Error(NodeErrc::dialled_both_ways);
  }
  const auto proof = [&](Role role) {
    return prove(line.cookie, role, line.binding(), our_hello, *their_hello);
  };
  sent = co_await line.messages.write(proof(Role::dialler));
  if (!sent) co_return sent.error();
  const auto verdict = co_await line.read();
  if (!verdict) co_return verdict.error();
  const auto their_proof = parse_verdict(*verdict);
  if (!their_proof) co_return their_proof.error();
  if (!is_proof(*their_proof, proof(Role::acceptor))) co_return Error(NodeErrc::wrong_cookie);
  co_return *theirs;
}

Task<Result<OpenLane>> greet_as_acceptor(std::shared_ptr<Core> core, Line line,
                                         std::uint64_t our_generation) {
  const auto their_hello = co_await line.read();
  if (!their_hello) co_return their_hello.error();
  const auto theirs = parse_hello(*their_hello);
  if (!theirs && theirs.error().code == NodeErrc::handshake_malformed) co_return theirs.error();
  Hello ours = make_hello(*core, our_generation);
  if (theirs) ours.link = theirs->link;
  const std::string our_hello = to_bytes(ours);
  auto sent = co_await line.messages.write(our_hello);
  if (!sent) co_return sent.error();
  if (!theirs) co_return theirs.error();  // which the caller sees in our hello, too
  const auto their_proof = co_await line.read();
  if (!their_proof) co_return their_proof.error();

  const auto proof = [&](Role role) {
    return prove(line.cookie, role, line.binding(), *their_hello, our_hello);
  };
  const auto join = [&]() -> Result<OpenLane> {
    if (!is_proof(*their_proof, proof(Role::dialler))) return Error(NodeErrc::wrong_cookie);
    const auto name = check_caller(*core, line, *theirs);
    if (!name) return name.error();
    if (core->stopping) return Error(NodeErrc::link_down, "this node is stopping");
    const auto make = [&] {
      return std::make_shared<Link>(core, peer_on(line, *name, *theirs, our_generation), *theirs,
                                    theirs->link, theirs->connections);
    };
    auto link = core->links.join(core->name.text(), name->text(), *theirs, make);
    if (!link) return link.error();
    return (*link)->add(theirs->connection, line.connection);
  };
  Result<OpenLane> joined = join();
  const std::string verdict =
      joined ? accept_with(proof(Role::acceptor)) : refuse_with(refusal(joined.error()));
  sent = co_await line.messages.write(verdict);
  if (!sent && joined) co_return sent.error();
  co_return joined;
}

}  // namespace livetls::node
