#include "livetls/tls/tls_engine.hpp"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"

namespace livetls {
namespace {

using test::EnginePair;
using Next = TlsEngine::Step::Next;

class TlsEngineTest : public ::testing::Test {
 protected:
  std::shared_ptr<const ServerConfig> serving(const CertificateRequest& request,
                                              TlsPolicy policy = {}) {
    manager = CertManager::create(
                  CertSet{.default_identity = authority.issue(request).value(), .policy = policy},
                  {.session_tickets = false})
                  .value();
    return std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  }

  std::shared_ptr<const ClientContext> trusting(ClientOptions options = {}) {
    if (!options.roots) options.roots = authority.trust_bundle();
    return ClientContext::create(std::move(options)).value();
  }

  EnginePair pair(std::shared_ptr<const ServerConfig> server,
                  std::shared_ptr<const ClientContext> client, std::size_t chunk = 1024,
                  const char* name = "localhost") {
    return EnginePair(TlsEngine(std::move(client), ServerName::parse(name).value()),
                      TlsEngine(std::move(server)), chunk);
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  std::shared_ptr<CertManager> manager;
};

struct Variant {
  KeyType key_type;
  TlsVersion version;
};

class TlsEngineVariantTest
    : public TlsEngineTest,
      public ::testing::WithParamInterface<std::tuple<Variant, std::size_t>> {};

TEST_P(TlsEngineVariantTest, HandshakesAndCarriesDataBothWaysInChunksOfAnySize) {
  const auto& [variant, chunk] = GetParam();
  const TlsPolicy policy{.min_version = variant.version, .max_version = variant.version};
  EnginePair engines = pair(serving({.key_type = variant.key_type}, policy), trusting(), chunk);

  const auto outcome = engines.handshake();
  ASSERT_TRUE(outcome.done()) << outcome.client.error.message() << " / "
                              << outcome.server.error.message();
  EXPECT_EQ(engines.client.version(), variant.version);
  EXPECT_EQ(engines.server.version(), variant.version);
  EXPECT_EQ(engines.client.peer_certificate()->fingerprint,
            manager->certificate().leaf().fingerprint);
  EXPECT_EQ(engines.server.served()->generation, 1U);
  EXPECT_EQ(engines.server.server_name(), "localhost");

  const std::string large(100'000, 'x');
  EXPECT_EQ(EnginePair::send(engines, engines.client, engines.server, "ping").value(), "ping");
  EXPECT_EQ(EnginePair::send(engines, engines.server, engines.client, large).value(), large);
  EXPECT_TRUE(engines.shutdown().done());
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsEngineVariantTest,
    ::testing::Combine(::testing::Values(Variant{KeyType::ecdsa_p256, TlsVersion::tls1_3},
                                         Variant{KeyType::ecdsa_p256, TlsVersion::tls1_2},
                                         Variant{KeyType::ecdsa_p384, TlsVersion::tls1_3},
                                         Variant{KeyType::ecdsa_p384, TlsVersion::tls1_2},
                                         Variant{KeyType::rsa, TlsVersion::tls1_3},
                                         Variant{KeyType::rsa, TlsVersion::tls1_2},
                                         Variant{KeyType::ed25519, TlsVersion::tls1_3},
                                         Variant{KeyType::ed25519, TlsVersion::tls1_2}),
                       ::testing::Values(1U, 5U, 13U, 64U, 1024U)));

TEST_F(TlsEngineTest, AnIntermediateIsSentWithTheLeaf) {
  const auto intermediate = authority.create_intermediate({.organization = "between"}).value();
  manager = CertManager::create(intermediate.issue().value()).value();
  const auto config = std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  EnginePair engines = pair(config, trusting());
  EXPECT_TRUE(engines.handshake().done());
}

TEST_F(TlsEngineTest, AStreamThatEndsAnywhereInTheHandshakeIsTruncatedForBoth) {
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    const auto config = serving({}, {.min_version = version, .max_version = version});
    const auto context = trusting();
    EnginePair whole = pair(config, context);
    ASSERT_TRUE(whole.handshake().done());
    constexpr std::size_t kVariation = 16;  // ECDSA signatures differ by some bytes in length
    for (std::size_t cut = 0; cut + kVariation < whole.moved_bytes(); cut += 7) {
      EnginePair engines = pair(config, context);
      engines.cut_after(cut);
      const auto outcome = engines.handshake();
      ASSERT_FALSE(outcome.done()) << "after " << cut << " bytes";
      for (const auto& end : {outcome.client, outcome.server}) {
        if (end.next == Next::done) continue;  // it had all it needs before the cut
        EXPECT_EQ(end.next, Next::failed);
        EXPECT_EQ(end.error, Errc::stream_truncated) << "after " << cut << " bytes";
      }
    }
  }
}

TEST_F(TlsEngineTest, AByteThatIsChangedAnywhereInTheHandshakeNeverMakesItSucceedUnnoticed) {
  const auto config = serving({});
  const auto context = trusting();
  EnginePair whole = pair(config, context, 1);
  ASSERT_TRUE(whole.handshake().done());

  // The server's first flight, changed one byte at a time.
  TlsEngine client(context, ServerName::parse("localhost").value());
  ASSERT_EQ(client.handshake().next, Next::need_input);
  std::vector<std::uint8_t> hello;
  client.take_output(hello);
  for (std::size_t at = 0; at < hello.size(); at += 3) {
    TlsEngine server(config);
    std::vector<std::uint8_t> changed = hello;
    changed[at] ^= 0x5a;
    std::memcpy(server.input_space().data(), changed.data(), changed.size());
    server.input_arrived(changed.size());
    const auto step = server.handshake();
    EXPECT_EQ(step.next == Next::failed, step.error.failed()) << "byte " << at;
    EXPECT_NE(step.next, Next::done) << "byte " << at;
  }
}

TEST_F(TlsEngineTest, TruncationIsToldApartFromCloseNotify) {
  char byte;
  EnginePair closed = pair(serving({}), trusting());
  ASSERT_TRUE(closed.handshake().done());
  closed.client.shutdown();
  while (closed.move_bytes()) {
  }
  EXPECT_EQ(closed.server.read(boost::asio::buffer(&byte, 1)).error, boost::asio::error::eof);
  EXPECT_EQ(closed.server.read(boost::asio::buffer(&byte, 1)).error, boost::asio::error::eof);

  EnginePair cut = pair(serving({}), trusting());
  ASSERT_TRUE(cut.handshake().done());
  cut.server.input_ended();
  EXPECT_EQ(cut.server.read(boost::asio::buffer(&byte, 1)).error, Errc::stream_truncated);
}

TEST_F(TlsEngineTest, EveryFlightLeavesInOnePiece) {
  EnginePair engines = pair(serving({}), trusting());
  std::vector<std::uint8_t> flight;
  ASSERT_EQ(engines.client.handshake().next, Next::need_input);
  engines.client.take_output(flight);
  std::memcpy(engines.server.input_space().data(), flight.data(), flight.size());
  engines.server.input_arrived(flight.size());
  ASSERT_EQ(engines.server.handshake().next, Next::need_input);
  engines.server.take_output(flight);  // ServerHello to Finished
  std::memcpy(engines.client.input_space().data(), flight.data(), flight.size());
  engines.client.input_arrived(flight.size());
  EXPECT_EQ(engines.client.handshake().next, Next::done);
}

TEST_F(TlsEngineTest, TheClientRefusesWhatItCannotTrust) {
  const auto other = CertificateAuthority::create().value();
  EnginePair untrusted = pair(serving({}), trusting({.roots = other.trust_bundle()}));
  auto outcome = untrusted.handshake();
  EXPECT_EQ(outcome.client.error, Errc::peer_untrusted);
  EXPECT_EQ(outcome.server.error, Errc::alert_received);

  EnginePair misnamed = pair(serving({.names = {"other.example"}}), trusting());
  outcome = misnamed.handshake();
  EXPECT_EQ(outcome.client.error, Errc::peer_name_mismatch);
  EXPECT_EQ(outcome.server.error, Errc::alert_received);

  using namespace std::chrono_literals;
  const auto long_ago = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  const auto expired = authority.issue({.lifetime = std::chrono::days(1), .now = long_ago}).value();
  manager = CertManager::create(CertSet{.default_identity = expired},
                                {.now = [=] { return long_ago + 1h; }})
                .value();
  EnginePair late =
      pair(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}), trusting());
  EXPECT_EQ(late.handshake().client.error, Errc::peer_expired);
}

TEST_F(TlsEngineTest, InsecureSkipVerifyAcceptsAnythingAndSaysWhatItGot) {
  const auto self = self_signed({.names = {"other.example"}}).value();
  manager = CertManager::create(self).value();
  EnginePair engines = pair(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}),
                            trusting({.insecure_skip_verify = true}));
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_EQ(engines.client.peer_certificate()->dns_names,
            std::vector<std::string>{"other.example"});
}

TEST_F(TlsEngineTest, AnIpAddressIsVerifiedAgainstIpNamesAndNotSentAsSni) {
  EnginePair engines = pair(serving({.names = {"127.0.0.1"}}), trusting(), 1024, "127.0.0.1");
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_EQ(engines.server.server_name(), "");
  EnginePair other = pair(serving({.names = {"127.0.0.2"}}), trusting(), 1024, "127.0.0.1");
  EXPECT_EQ(other.handshake().client.error, Errc::peer_name_mismatch);
}

TEST_F(TlsEngineTest, AlpnAgreesOnTheServersPreferenceAndRefusesWhereNothingIsCommon) {
  serving({});
  const auto config = std::make_shared<const ServerConfig>(
      ServerConfig{.contexts = manager, .alpn = {"h2", "http/1.1"}});
  EnginePair both = pair(config, trusting({.alpn = {"http/1.1", "h2"}}));
  ASSERT_TRUE(both.handshake().done());
  EXPECT_EQ(both.client.alpn(), "h2");
  EXPECT_EQ(both.server.alpn(), "h2");

  EnginePair none = pair(config, trusting());
  ASSERT_TRUE(none.handshake().done());
  EXPECT_EQ(none.server.alpn(), "");

  EnginePair other = pair(config, trusting({.alpn = {"mqtt"}}));
  const auto outcome = other.handshake();
  EXPECT_EQ(outcome.server.error, Errc::no_application_protocol);
  EXPECT_EQ(outcome.client.error, Errc::alert_received);
}

TEST_F(TlsEngineTest, AnUnknownNameIsRefusedWhereThatIsAskedFor) {
  serving({.names = {"known.example"}});
  const auto config = std::make_shared<const ServerConfig>(
      ServerConfig{.contexts = manager, .unknown_name = UnknownName::reject});
  EnginePair known = pair(config, trusting(), 1024, "KNOWN.example.");
  EXPECT_TRUE(known.handshake().done());
  EnginePair unknown = pair(config, trusting(), 1024, "unknown.example");
  const auto outcome = unknown.handshake();
  EXPECT_EQ(outcome.server.error, Errc::unrecognized_name);
  EXPECT_EQ(outcome.client.error, Errc::alert_received);
}

TEST_F(TlsEngineTest, VersionsThatDoNotOverlapAreRefused) {
  EnginePair engines = pair(serving({}, {.min_version = TlsVersion::tls1_3}),
                            trusting({.policy = {.max_version = TlsVersion::tls1_2}}));
  const auto outcome = engines.handshake();
  EXPECT_EQ(outcome.server.error, Errc::no_common_parameters) << outcome.server.error.message();
  EXPECT_EQ(outcome.client.next, Next::failed);
}

TEST_F(TlsEngineTest, NoSessionTicketIsIssued) {
  EnginePair engines = pair(serving({}), trusting());
  ASSERT_TRUE(engines.handshake().done());
  EXPECT_EQ(engines.server.output_size(), 0U);  // a ticket would be waiting here
}

TEST_F(TlsEngineTest, StrangersWhoDoNotSpeakTlsAreToldApart) {
  const auto config = serving({});
  const auto first_bytes = [&](std::string_view bytes) {
    TlsEngine server(config);
    std::memcpy(server.input_space().data(), bytes.data(), bytes.size());
    server.input_arrived(bytes.size());
    server.input_ended();
    const auto step = server.handshake();
    EXPECT_EQ(step.next, Next::failed);
    return step.error;
  };
  EXPECT_EQ(first_bytes("GET / HTTP/1.1\r\n"), Errc::plain_http);
  EXPECT_EQ(first_bytes("SSH-2.0-OpenSSH\r\n"), Errc::not_tls);
  EXPECT_EQ(first_bytes(std::string_view("\x16\x03\x01\x00\x05\x02zzzz", 10)),
            Errc::malformed_client_hello);
  EXPECT_EQ(first_bytes(std::string_view("\x16\x03\x01\x02\x00", 5)), Errc::stream_truncated);
  EXPECT_EQ(first_bytes(""), Errc::stream_truncated);
}

}  // namespace
}  // namespace livetls
