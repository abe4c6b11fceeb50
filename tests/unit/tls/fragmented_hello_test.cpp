#include <gtest/gtest.h>

#include <cstring>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"

namespace livetls {
namespace {

using test::Bytes;
using Next = TlsEngine::Step::Next;

void give(TlsEngine& engine, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const boost::asio::mutable_buffer space = engine.input_space();
    const std::size_t count = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), count);
    engine.input_arrived(count);
    bytes = bytes.subspan(count);
  }
}

/// A client's first flight is one record; here it comes in records of `fragment` bytes.
class FragmentedHelloVariantTest
    : public ::testing::TestWithParam<std::tuple<std::size_t, TlsVersion>> {};

TEST_P(FragmentedHelloVariantTest, AHandshakeSucceedsHoweverRecordsSplitTheClientHello) {
  const auto [fragment, version] = GetParam();
  const TlsPolicy policy{.min_version = version, .max_version = version};
  const auto authority = CertificateAuthority::create().value();
  const auto manager =
      CertManager::create(CertSet{.default_identity = authority.issue().value(), .policy = policy})
          .value();
  TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
  TlsEngine client(
      ClientContext::create({.roots = authority.trust_bundle(), .policy = policy}).value(),
      ServerName::parse("localhost").value());

  Bytes flight;
  ASSERT_EQ(client.handshake().next, Next::need_input);
  client.take_output(flight);
  give(server, test::ClientHelloBuilder::split(std::span(flight).subspan(5), fragment));

  TlsEngine::Step at_server = server.handshake(), at_client;
  for (int flights = 0; flights < 4; ++flights) {
    ASSERT_NE(at_server.next, Next::failed) << at_server.error.message();
    server.take_output(flight);
    give(client, flight);
    at_client = client.handshake();
    ASSERT_NE(at_client.next, Next::failed) << at_client.error.message();
    client.take_output(flight);
    give(server, flight);
    at_server = server.handshake();
  }
  EXPECT_EQ(at_client.next, Next::done);
  EXPECT_EQ(at_server.next, Next::done);
  EXPECT_EQ(server.server_name(), "localhost");
}

// wolfSSL wants the header of a handshake message (4 bytes) in its first record, which every client
// does.
TEST(FragmentedHelloTest, AMessageHeaderThatRecordsSplitIsRefused) {
  const auto manager = CertManager::create(self_signed().value()).value();
  TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
  test::ClientHelloBuilder builder;
  builder.with_server_name("localhost");
  give(server, builder.records(3));
  EXPECT_EQ(server.handshake().next, Next::failed);
}

INSTANTIATE_TEST_SUITE_P(Fragments, FragmentedHelloVariantTest,
                         ::testing::Combine(::testing::Values(4U, 5U, 50U, 200U),
                                            ::testing::Values(TlsVersion::tls1_2,
                                                              TlsVersion::tls1_3)));

}  // namespace
}  // namespace livetls
