#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"
#include "support/feed.hpp"

namespace livetls {
namespace {

using test::Bytes;
using test::feed;
using Next = TlsEngine::Step::Next;

/// A client's first flight is one record; here it comes in records of `fragment` bytes, and those
/// in segments of `segment` bytes, after each of which the server looks at what it has.
struct Cut {
  std::size_t fragment;
  std::size_t segment;
};

class FragmentedHelloVariantTest : public ::testing::TestWithParam<std::tuple<Cut, TlsVersion>> {
 protected:
  struct Outcome {
    TlsEngine::Step client;
    TlsEngine::Step server;
  };

  TlsEngine make_server(CertSet set, ServerConfig config = {}) {
    set.policy = policy;
    config.contexts = CertManager::create(std::move(set)).value();
    return TlsEngine(std::make_shared<const ServerConfig>(std::move(config)));
  }

  TlsEngine make_client(const char* name, std::optional<Certificate> certificate = {}) {
    return TlsEngine(ClientContext::create({.roots = authority.trust_bundle(),
                                            .policy = policy,
                                            .certificate = std::move(certificate)})
                         .value(),
                     ServerName::parse(name).value());
  }

  /// Until both are done, or one has failed.
  static Outcome shake_hands(TlsEngine& client, TlsEngine& server) {
    const Cut cut = std::get<Cut>(GetParam());
    Bytes flight;
    client.handshake();
    client.take_output(flight);
    const Bytes records =
        test::ClientHelloBuilder::split(std::span(flight).subspan(5), cut.fragment);
    Outcome outcome{};
    for (std::span<const std::uint8_t> rest = records; !rest.empty();) {
      EXPECT_EQ(server.output_size(), 0U) << "an answer to half a ClientHello";
      const std::size_t size = std::min(cut.segment, rest.size());
      feed(server, rest.first(size));
      rest = rest.subspan(size);
      outcome.server = server.handshake();
    }
    for (int flights = 0; flights < 4; ++flights) {
      server.take_output(flight);
      feed(client, flight);
      outcome.client = client.handshake();
      client.take_output(flight);
      feed(server, flight);
      outcome.server = server.handshake();
    }
    return outcome;
  }

  TlsPolicy policy{.min_version = std::get<TlsVersion>(GetParam()),
                   .max_version = std::get<TlsVersion>(GetParam())};
  CertificateAuthority authority = CertificateAuthority::create().value();
};

TEST_P(FragmentedHelloVariantTest, AHandshakeSucceedsHoweverTheClientHelloIsCut) {
  TlsEngine server = make_server({.default_identity = authority.issue().value()});
  TlsEngine client = make_client("localhost");
  const Outcome outcome = shake_hands(client, server);
  EXPECT_EQ(outcome.client.next, Next::done) << outcome.client.error.message();
  EXPECT_EQ(outcome.server.next, Next::done) << outcome.server.error.message();
  EXPECT_EQ(server.server_name(), "localhost");
}

// Elsewhere, a name that was not in the first fragment counted as none, and who asked for none was
// not asked for a certificate.
TEST_P(FragmentedHelloVariantTest, ANameIsFoundAndItsClientAuthenticationAppliesHoweverItIsCut) {
  const auto issue = [&](const char* name) { return authority.issue({.names = {name}}).value(); };
  const auto strict = [&](const char* name) {
    return Identity(issue(name)).with(ClientAuth::require_and_verify);
  };
  const CertSet set{.default_identity = strict("default.example.com"),
                    .identities = {{"internal.example.com", strict("internal.example.com")},
                                   {"*.example.com", issue("*.example.com")}},
                    .client_roots = authority.trust_bundle()};
  const ServerConfig names_only{.contexts = nullptr,
                                .unknown_name = UnknownName::reject,
                                .missing_name = MissingName::reject};
  TlsEngine server = make_server(set, names_only);
  TlsEngine friendly = make_client("internal.example.com", issue("client.example.com"));
  EXPECT_EQ(shake_hands(friendly, server).server.next, Next::done);
  EXPECT_TRUE(server.peer_is_verified());
  EXPECT_EQ(friendly.peer_certificate()->dns_names,
            std::vector<std::string>{"internal.example.com"});

  TlsEngine second_server = make_server(set, names_only);
  TlsEngine stranger = make_client("internal.example.com");
  EXPECT_EQ(shake_hands(stranger, second_server).server.error, Errc::peer_sent_no_certificate);
}

// wolfSSL wants the header of a handshake message (4 bytes) in its first record, which every client
// does.
TEST(FragmentedHelloTest, AMessageHeaderThatRecordsSplitIsRefused) {
  const auto manager = CertManager::create(self_signed().value()).value();
  TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
  test::ClientHelloBuilder builder;
  builder.with_server_name("localhost");
  feed(server, builder.records(3));
  EXPECT_EQ(server.handshake().next, Next::failed);
}

INSTANTIATE_TEST_SUITE_P(
    Fragments, FragmentedHelloVariantTest,
    ::testing::Combine(::testing::Values(Cut{4, 65536}, Cut{5, 65536}, Cut{50, 65536},
                                         Cut{200, 65536}, Cut{16384, 1}, Cut{16384, 50},
                                         Cut{16384, 200}, Cut{50, 7}),
                       ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3)));

}  // namespace
}  // namespace livetls
