#include "handshake.hpp"

#include <gtest/gtest.h>

namespace livetls::node {
namespace {

Hello some_hello() {
  Hello hello{.generation = 7,
              .incarnation = 9,
              .max_payload = 1000,
              .connection = 1,
              .connections = 3,
              .name = "a@h"};
  hello.nonce.fill(1);
  hello.link.fill(2);
  return hello;
}

TEST(NodeHandshake, HellosComeAcross) {
  EXPECT_EQ(parse_hello(to_bytes(some_hello())).value(), some_hello());
}

TEST(NodeHandshake, RefusesWhatIsNoHello) {
  const std::string whole = to_bytes(some_hello());
  for (std::size_t size = 0; size < whole.size() - some_hello().name.size(); ++size) {
    EXPECT_EQ(parse_hello(whole.substr(0, size)).error().code, NodeErrc::handshake_malformed)
        << size;
  }
  EXPECT_EQ(parse_hello("GET / HTTP/1.1\r\n\r\n").error().code, NodeErrc::handshake_malformed);
  Hello hello = some_hello();
  hello.connection = hello.connections;
  EXPECT_EQ(parse_hello(to_bytes(hello)).error().code, NodeErrc::handshake_malformed);
}

TEST(NodeHandshake, NeedsAVersionInCommon) {
  Hello hello = some_hello();
  hello.max_version = 9;
  EXPECT_TRUE(parse_hello(to_bytes(hello))) << "it also speaks the first";
  hello.min_version = 2;
  EXPECT_EQ(parse_hello(to_bytes(hello)).error().code, NodeErrc::wrong_version);
}

TEST(NodeHandshake, AProofIsOfOneSideOneConnectionAndOneCookie) {
  const std::string_view key = "cookie";
  const std::span<const std::uint8_t> cookie(reinterpret_cast<const std::uint8_t*>(key.data()),
                                             key.size());
  ChannelBinding binding{};
  const std::string proof = prove(cookie, Role::dialler, binding, "hello d", "hello a");
  EXPECT_TRUE(is_proof(proof, prove(cookie, Role::dialler, binding, "hello d", "hello a")));
  EXPECT_FALSE(is_proof(proof, prove(cookie, Role::acceptor, binding, "hello d", "hello a")));
  EXPECT_FALSE(is_proof(proof, prove(cookie, Role::dialler, binding, "hello dh", "ello a")));
  EXPECT_FALSE(is_proof(proof, prove(cookie, Role::dialler, {}, "hello d", "hello a")));
  EXPECT_FALSE(
      is_proof(proof, prove(cookie.first(5), Role::dialler, binding, "hello d", "hello a")));
  EXPECT_FALSE(is_proof(proof.substr(1), proof));
  binding[31] = 1;
  EXPECT_FALSE(is_proof(proof, prove(cookie, Role::dialler, binding, "hello d", "hello a")));
}

TEST(NodeHandshake, VerdictsTellWhyNot) {
  EXPECT_EQ(parse_verdict(accept_with("proof")).value(), "proof");
  EXPECT_EQ(parse_verdict(refuse_with(NodeErrc::wrong_cookie)).error().code,
            NodeErrc::wrong_cookie);
  EXPECT_EQ(parse_verdict("").error().code, NodeErrc::handshake_malformed);
  EXPECT_EQ(parse_verdict("\xff").error().code, NodeErrc::handshake_malformed);
}

}  // namespace
}  // namespace livetls::node
