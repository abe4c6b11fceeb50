// Key shares are bounded in every ClientHello, also in the one that answers a HelloRetryRequest:
// the TLS library compares each with all before it, and keeps those of groups it does not know.

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"
#include "support/feed.hpp"

namespace livetls {
namespace {

using namespace test;

constexpr std::uint16_t kX25519 = 0x001d;
constexpr std::uint16_t kUnknownGroup = 0x0a0a;  // and so on

/// One entry for each group, with keys of 32 bytes.
Bytes shares(const std::vector<std::uint16_t>& groups) {
  Bytes list;
  for (const std::uint16_t group : groups) {
    append_number(list, group, 2);
    append(list, prefixed(2, Bytes(32, 0x09)));
  }
  return prefixed(2, list);
}

std::vector<std::uint16_t> groups(std::size_t count) {
  std::vector<std::uint16_t> groups = {kX25519};
  while (groups.size() < count) {
    groups.push_back(static_cast<std::uint16_t>(kUnknownGroup + groups.size()));
  }
  return groups;
}

ClientHelloBuilder hello_with(const Bytes& key_shares) {
  return ClientHelloBuilder()
      .with_server_name("localhost")
      .with(10, prefixed(2, code_points({kX25519, 0x0017})))
      .with(13, prefixed(2, code_points({0x0403, 0x0804})))
      .with(43, prefixed(1, code_points({0x0304})))
      .with(51, key_shares);
}

/// Only the first record of a connection may say TLS 1.0 (RFC 8446, section 5.1).
Bytes as_tls12_records(Bytes records) {
  for (std::size_t at = 0; at < records.size();) {
    records[at + 2] = 3;
    at += 5U + static_cast<std::size_t>(records[at + 3] << 8 | records[at + 4]);
  }
  return records;
}

boost::system::error_code parse_error(const Bytes& key_shares) {
  const Bytes body = hello_with(key_shares).body();
  const auto parsed = ClientHello::parse(body);
  return parsed ? boost::system::error_code() : parsed.error().code;
}

TEST(KeySharesTest, AreReadInTheirOrder) {
  const Bytes body = hello_with(shares({0x0017, kX25519})).body();
  const auto hello = ClientHello::parse(body);
  ASSERT_TRUE(hello) << hello.error().message();
  ASSERT_EQ(hello->key_shares.size(), 2U);
  EXPECT_EQ(hello->key_shares.begin()->group, 0x0017);
  EXPECT_EQ(hello->key_shares.begin()[1].group, kX25519);
  EXPECT_EQ(hello->key_shares.begin()[1].key.size(), 32U);
}

TEST(KeySharesTest, MayBeMissingToAskForARetry) { EXPECT_FALSE(parse_error(shares({}))); }

TEST(KeySharesTest, AreEightAtMost) {
  EXPECT_FALSE(parse_error(shares(groups(8))));
  EXPECT_EQ(parse_error(shares(groups(9))), Errc::invalid_key_share);
  EXPECT_EQ(parse_error(shares(groups(400))), Errc::invalid_key_share);
}

TEST(KeySharesTest, HaveNoGroupTwice) {
  EXPECT_EQ(parse_error(shares({kX25519, kX25519})), Errc::invalid_key_share);
  EXPECT_EQ(parse_error(shares({kUnknownGroup, kX25519, kUnknownGroup})), Errc::invalid_key_share);
}

TEST(KeySharesTest, ThatAreTornAreMalformed) {
  Bytes no_key = {0, 4, 0, 0x1d, 0, 0};
  Bytes key_ends_early = {0, 5, 0, 0x1d, 0, 2, 9};
  Bytes list_ends_early = {0, 9, 0, 0x1d, 0, 1, 9};
  Bytes more_behind = {0, 5, 0, 0x1d, 0, 1, 9, 9};
  for (const Bytes& torn : {Bytes(), no_key, key_ends_early, list_ends_early, more_behind}) {
    EXPECT_EQ(parse_error(torn), Errc::malformed_client_hello);
  }
}

class KeySharesOnTheWireTest : public testing::Test {
 protected:
  TlsEngine::Step send(const Bytes& bytes) {
    feed(server, bytes);
    return server.handshake();
  }

  Bytes answer() {
    Bytes bytes;
    server.take_output(bytes);
    return bytes;
  }

  std::shared_ptr<CertManager> manager = CertManager::create(self_signed().value()).value();
  TlsEngine server{std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})};
  const Bytes illegal_parameter = {21, 3, 3, 0, 2, 2, 47};
};

TEST_F(KeySharesOnTheWireTest, TooManyAreRefusedBeforeAnythingIsComputed) {
  const auto step = send(hello_with(shares(groups(400))).records());
  EXPECT_EQ(step.error, Errc::invalid_key_share);
  EXPECT_EQ(answer(), illegal_parameter);
  EXPECT_EQ(server.served(), nullptr) << "no certificate was chosen";
}

TEST_F(KeySharesOnTheWireTest, TooManyAreRefusedInTheSecondClientHelloHoweverItIsCut) {
  for (const std::size_t fragment : {16'384U, 100U, 20U}) {
    server = TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
    ASSERT_EQ(send(hello_with(shares({})).records()).next, TlsEngine::Step::Next::need_input);
    const Bytes retry = answer();
    ASSERT_GT(retry.size(), 5U);
    ASSERT_EQ(retry[0], 22) << "a HelloRetryRequest";
    const Bytes change_cipher_spec = {20, 3, 3, 0, 1, 1};
    Bytes again = change_cipher_spec;
    append(again, as_tls12_records(hello_with(shares({kX25519, kX25519})).records(fragment)));
    const auto step = send(again);
    EXPECT_EQ(step.error, Errc::invalid_key_share) << fragment << step.error.message();
    EXPECT_EQ(answer(), illegal_parameter);
  }
}

}  // namespace
}  // namespace livetls
