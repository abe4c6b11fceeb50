// A stranger's bytes all the way: through our reader and the choice of a certificate into the TLS
// library. However they are cut, they end the same way, and never in an established connection.
//
// Input: a byte for the server, a byte for the form, where the stream is cut (FuzzInput::cuts),
// then either the stream as it arrives, or what a ClientHello is built from: its suites and
// extensions, each with its length before it. Mutations of a stream seldom keep its lengths; what
// is built gets to the library's own readers of extensions.

#include <cstring>
#include <set>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"

namespace livetls::fuzz {
namespace {

using Next = TlsEngine::Step::Next;
using test::ClientHelloBuilder;

std::shared_ptr<const ServerConfig> serve(const CertSet& set, bool reject = false) {
  return std::make_shared<const ServerConfig>(
      ServerConfig{.contexts = CertManager::create(set).value(),
                   .alpn = {"h2", "http/1.1"},
                   .unknown_name = reject ? UnknownName::reject : UnknownName::serve_default,
                   .missing_name = reject ? MissingName::reject : MissingName::serve_default});
}

/// The ways to serve that differ for a stranger.
std::vector<std::shared_ptr<const ServerConfig>> make_servers() {
  constexpr TlsPolicy kTls12 = {.max_version = TlsVersion::tls1_2};
  constexpr TlsPolicy kTls13 = {.min_version = TlsVersion::tls1_3};
  const auto authority = CertificateAuthority::create().value();
  const auto issue = [&](const char* name, KeyType type) {
    return authority.issue({.names = {name}, .key_type = type}).value();
  };
  const auto ecdsa = issue("example.com", KeyType::ecdsa_p256);
  const auto rsa = issue("example.com", KeyType::rsa);
  const auto wildcard = issue("*.example.com", KeyType::ecdsa_p384);
  const auto ed25519 = issue("only.example.org", KeyType::ed25519);
  return {
      serve({.default_identity = std::vector{ecdsa, rsa},
             .identities = {{"*.example.com", wildcard}}}),
      serve({.default_identity = std::vector{ecdsa, rsa}, .policy = kTls12}, true),
      serve({.default_identity = Identity(rsa).with(ClientAuth::require_and_verify),
             .client_roots = authority.trust_bundle(),
             .policy = kTls12}),
      serve({.default_identity = Identity(ed25519).with(ClientAuth::request), .policy = kTls13}),
      serve({.default_identity = Identity(ecdsa).with(ClientAuth::require_any), .policy = kTls12}),
  };
}

/// How a connection ended.
struct Outcome {
  boost::system::error_code error;
  std::string server_name;
  std::optional<NameMatch> match;
  std::optional<Fingerprint> certificate;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void give(TlsEngine& engine, Bytes bytes) {
  while (!bytes.empty()) {
    const boost::asio::mutable_buffer space = engine.input_space();
    const std::size_t count = std::min(space.size(), bytes.size());
    require(count > 0, "there is always space for input");
    std::memcpy(space.data(), bytes.data(), count);
    engine.input_arrived(count);
    bytes = bytes.subspan(count);
  }
}

/// Whole records, with the types and sizes that there are.
void check_output(FuzzInput output) {
  while (!output.empty()) {
    const std::uint32_t type = output.number(1);
    require(type >= 20 && type <= 23, "what is sent is of a known kind");
    require(output.number(1) == 3 && output.number(1) <= 3, "and of a version of TLS");
    const std::size_t size = output.number(2);
    require(size > 0 && size <= (1 << 14) + 256, "and of a size that is allowed");
    require(output.take(size).size() == size, "and whole");
  }
}

/// Feeds `stream` in pieces that end at `cuts`, then nothing more.
Outcome run(const std::shared_ptr<const ServerConfig>& config, Bytes stream,
            const std::vector<std::size_t>& cuts) {
  TlsEngine engine(config);
  std::vector<std::uint8_t> output, sent;
  const auto step = [&] {
    const auto result = engine.handshake();
    require(result.next != Next::done, "nobody gets in without keys");
    engine.take_output(sent);
    output.insert(output.end(), sent.begin(), sent.end());
    return result;
  };

  TlsEngine::Step last = step();
  std::size_t given = 0;
  for (std::size_t i = 0; i <= cuts.size() && last.next == Next::need_input; ++i) {
    const std::size_t end = i < cuts.size() ? std::min(cuts[i], stream.size()) : stream.size();
    give(engine, stream.subspan(given, end - given));
    given = end;
    last = step();
  }
  if (last.next == Next::need_input) {
    engine.input_ended();
    last = step();
    require(last.next == Next::failed, "it does not wait for what cannot come");
  }
  check_output(Bytes(output));
  const auto again = step();
  require(again.next == Next::failed && again.error == last.error, "a failure is for good");
  require(sent.empty(), "and says nothing more");

  Outcome outcome{last.error, std::string(engine.server_name()), {}, {}};
  if (const Served* served = engine.served()) {
    outcome.match = served->match;
    outcome.certificate = served->context->certificate().leaf().fingerprint;
  }
  return outcome;
}

/// What our own reader says, without a server around it, is what the server does.
void check_against_reader(Bytes stream, const Outcome& outcome) {
  ClientHelloReader reader;
  const auto hello = reader.read(stream);
  if (!hello) {
    require(outcome.error == hello.error().code, "what the reader refuses, the server refuses");
  } else if (*hello == nullptr) {
    require(outcome.error == Errc::stream_truncated, "half a ClientHello is truncated");
  } else {
    require(outcome.server_name == (*hello)->server_name, "the name is the one that was asked for");
  }
  const bool complete = hello && *hello != nullptr;
  require(complete || !outcome.certificate, "without a ClientHello, nothing is chosen");
}

std::vector<std::uint8_t> build_hello(FuzzInput input) {
  constexpr std::size_t kMaxExtensions = 40;
  ClientHelloBuilder builder;
  builder.cipher_suites = copy(input.take(input.number(1)));
  std::set<std::uint16_t> types;
  while (!input.empty() && types.size() < kMaxExtensions) {
    const auto type = static_cast<std::uint16_t>(input.number(2));
    const Bytes data = input.take(input.number(2));
    if (types.insert(type).second) builder.with(type, copy(data));
  }
  return builder.records();
}

void check(FuzzInput input) {
  static const auto servers = make_servers();
  const auto& server = servers[input.number(1) % servers.size()];
  const bool built = input.number(1) % 2 == 1;
  const auto cuts = input.cuts();
  const auto stream = built ? build_hello(input) : copy(input.rest());
  const Outcome at_once = run(server, stream, {});
  check_against_reader(stream, at_once);
  if (!cuts.empty()) require(run(server, stream, cuts) == at_once, "pieces change nothing");
}

const Target kTarget("server_engine", [](Bytes input) { check(input); });

}  // namespace
}  // namespace livetls::fuzz
