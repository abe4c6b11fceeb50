#include "tls/handshake_watch.hpp"

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/pki/private_key.hpp"
#include "pki/public_key.hpp"
#include "support/client_hello_builder.hpp"

namespace livetls {
namespace {

using namespace test;
using boost::system::error_code;

enum Message : std::uint8_t { kServerHello = 2, kServerKeyExchange = 12, kClientKeyExchange = 16 };

constexpr std::uint16_t kP256 = 23, kP384 = 24, kX25519 = 29;

Bytes message(std::uint8_t type, const Bytes& body) {
  Bytes bytes = {type};
  append(bytes, prefixed(3, body));
  return bytes;
}

/// A point of the curve, as it is sent.
Bytes point(KeyType type) {
  const auto key = PrivateKey::generate(type).value();
  const auto parsed = parse_public_key_info(key.public_key_der()).value();
  return {parsed.key.begin(), parsed.key.end()};
}

Bytes server_key_exchange(std::uint16_t group, const Bytes& key) {
  Bytes body = {3};
  append_number(body, group, 2);
  append(body, prefixed(1, key));
  body.resize(body.size() + 70, 0x5a);  // the signature
  return message(kServerKeyExchange, body);
}

Bytes client_key_exchange(const Bytes& key) {
  return message(kClientKeyExchange, prefixed(1, key));
}

Bytes server_hello(const std::vector<std::pair<std::uint16_t, Bytes>>& extensions,
                   const Bytes& random = Bytes(32, 7)) {
  Bytes body = {3, 3};
  append(body, random);
  append(body, prefixed(1, Bytes(32, 1)));
  append(body, Bytes{0x13, 0x01, 0});
  Bytes list;
  for (const auto& [type, data] : extensions) {
    append_number(list, type, 2);
    append(list, prefixed(2, data));
  }
  append(body, prefixed(2, list));
  return message(kServerHello, body);
}

Bytes share(std::uint16_t group, const Bytes& key) {
  Bytes bytes;
  append_number(bytes, group, 2);
  append(bytes, prefixed(2, key));
  return bytes;
}

const HandshakeWatch::Agreed kTls12{false, kP256};
const HandshakeWatch::Agreed kTls13{true, 0};

/// In one piece, and the same byte by byte in records of three bytes each.
error_code verdict(const Bytes& handshake, const HandshakeWatch::Agreed& agreed) {
  HandshakeWatch whole, bytewise;
  const error_code result = whole.see(ClientHelloBuilder::record(handshake), agreed);
  error_code other;
  for (const std::uint8_t byte : ClientHelloBuilder::split(handshake, 3)) {
    if (!other) other = bytewise.see({&byte, 1}, agreed);
  }
  EXPECT_EQ(result, other);
  return result;
}

TEST(HandshakeWatchTest, TakesAServersKeyOfAGroupThatWasOffered) {
  EXPECT_FALSE(verdict(server_key_exchange(kP256, point(KeyType::ecdsa_p256)), kTls12));
  EXPECT_FALSE(verdict(server_key_exchange(kX25519, Bytes(32, 9)), kTls12));
  const Bytes good = point(KeyType::ecdsa_p256);
  EXPECT_EQ(verdict(server_key_exchange(0x0117, good), kTls12), Errc::invalid_key_share);
  EXPECT_EQ(verdict(server_key_exchange(0x001e, Bytes(56, 9)), kTls12), Errc::invalid_key_share);
  EXPECT_EQ(verdict(server_key_exchange(kP384, good), kTls12), Errc::invalid_key_share);
  EXPECT_EQ(verdict(server_key_exchange(kP256, {4}), kTls12), Errc::invalid_key_share);
}

TEST(HandshakeWatchTest, TakesAClientsKeyOfTheGroupThatWasAgreedOn) {
  EXPECT_FALSE(verdict(client_key_exchange(point(KeyType::ecdsa_p256)), kTls12));
  Bytes compressed = point(KeyType::ecdsa_p256);
  compressed.resize(33);
  compressed.front() = 2;
  Bytes spaced = point(KeyType::ecdsa_p256);
  spaced.push_back(0);
  for (const Bytes& key : {Bytes(), Bytes{4}, Bytes{4, 0, 0}, Bytes{0}, Bytes(33, 0), Bytes(32, 9),
                           compressed, spaced, point(KeyType::ecdsa_p384)}) {
    EXPECT_EQ(verdict(client_key_exchange(key), kTls12), Errc::invalid_key_share) << key.size();
  }
  EXPECT_FALSE(verdict(client_key_exchange(Bytes(32, 9)), {false, kX25519}));
  EXPECT_EQ(verdict(client_key_exchange(point(KeyType::ecdsa_p256)), {false, kX25519}),
            Errc::invalid_key_share);
  EXPECT_EQ(verdict(client_key_exchange(point(KeyType::ecdsa_p256)), {false, 0}),
            Errc::invalid_key_share)
      << "nothing was agreed on";
}

/// With these the secret is all zeros, whatever the private key.
TEST(HandshakeWatchTest, TakesNoPointOfSmallOrderOnCurve25519) {
  const std::vector<std::string> points = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  for (const std::string& hex : points) {
    Bytes key;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      key.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    for (const std::uint8_t high_bit : Bytes{0, 0x80}) {
      key.back() = static_cast<std::uint8_t>(key.back() | high_bit);
      EXPECT_EQ(verdict(server_key_exchange(kX25519, key), kTls12), Errc::invalid_key_share) << hex;
      EXPECT_EQ(verdict(client_key_exchange(key), {false, kX25519}), Errc::invalid_key_share)
          << hex;
      EXPECT_EQ(verdict(server_hello({{43, {3, 4}}, {51, share(kX25519, key)}}), kTls13),
                Errc::invalid_key_share)
          << hex;
    }
  }
}

TEST(HandshakeWatchTest, WantsAShareInEveryServerHelloOfTls13) {
  const std::pair<std::uint16_t, Bytes> tls13 = {43, {3, 4}};
  EXPECT_FALSE(verdict(server_hello({tls13, {51, share(kX25519, Bytes(32, 9))}}), kTls13));
  EXPECT_EQ(verdict(server_hello({tls13}), kTls13), Errc::invalid_key_share);
  EXPECT_FALSE(verdict(server_hello({}), kTls12)) << "TLS 1.2 has it elsewhere";
  Bytes retry(32, 0);
  const Bytes begin = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};
  std::ranges::copy(begin, retry.begin());
  EXPECT_FALSE(verdict(server_hello({tls13, {51, {0, kP256}}}, retry), kTls13));
}

TEST(HandshakeWatchTest, ReadsNothingThatIsEncrypted) {
  const Bytes change_cipher_spec = {20, 3, 3, 0, 1, 1};
  const Bytes bad = ClientHelloBuilder::record(client_key_exchange({4}));
  HandshakeWatch tls12;
  EXPECT_FALSE(tls12.see(change_cipher_spec, kTls12));
  EXPECT_FALSE(tls12.see(bad, kTls12)) << "a Finished that looks like it";
  HandshakeWatch tls13;
  EXPECT_FALSE(tls13.see(change_cipher_spec, kTls13));
  EXPECT_TRUE(tls13.see(bad, kTls13)) << "there, it means nothing (RFC 8446, appendix D.4)";
}

}  // namespace
}  // namespace livetls
