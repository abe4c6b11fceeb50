// After a HelloRetryRequest a client says its ClientHello again, with another key share and little
// else (RFC 8446, section 4.1.2). The certificate was chosen by the first one; the TLS library
// reads whatever the second one says.

#include <gtest/gtest.h>

#include <functional>

#include "livetls/base/error.hpp"
#include "livetls/pki/self_signed.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"
#include "support/feed.hpp"

namespace livetls {
namespace {

using namespace test;
using Extensions = std::vector<std::pair<std::uint16_t, Bytes>>;

constexpr std::uint16_t kX25519 = 0x001d, kP256 = 0x0017;

Bytes name(std::string_view text) {
  return prefixed(2, ClientHelloBuilder::server_name_entry(text));
}

Bytes shares(std::initializer_list<std::uint16_t> groups) {
  Bytes list;
  for (const std::uint16_t group : groups) {
    append_number(list, group, 2);
    append(list, prefixed(2, Bytes(32, 0x09)));
  }
  return prefixed(2, list);
}

ClientHelloBuilder hello(const Bytes& key_shares) {
  return ClientHelloBuilder()
      .with(0, name("a.example"))
      .with(10, prefixed(2, code_points({kX25519, kP256})))
      .with(13, prefixed(2, code_points({0x0403, 0x0804})))
      .with_alpn({"http/1.1"})
      .with(43, prefixed(1, code_points({0x0304})))
      .with(51, key_shares);
}

Bytes& data_of(ClientHelloBuilder& hello, std::uint16_t type) {
  for (auto& [known, data] : hello.extensions) {
    if (known == type) return data;
  }
  throw std::logic_error("it has no such extension");
}

class SecondClientHello : public testing::Test {
 protected:
  /// What the server says to a second ClientHello, after one that had no key share.
  TlsEngine::Step answer_to(const ClientHelloBuilder& second) {
    server_ = TlsEngine(std::make_shared<const ServerConfig>(
        ServerConfig{.contexts = manager_, .alpn = {"http/1.1"}}));
    EXPECT_EQ(send(hello(shares({})).records()).next, TlsEngine::Step::Next::need_input);
    server_.take_output(output_);
    EXPECT_TRUE(output_.size() > 5 && output_[0] == 22) << "no HelloRetryRequest";
    Bytes records = second.records();
    records[2] = 3;  // only a first record may say TLS 1.0 (RFC 8446, section 5.1)
    const TlsEngine::Step step = send(records);
    server_.take_output(output_);
    return step;
  }

  TlsEngine::Step send(const Bytes& bytes) {
    feed(server_, bytes);
    return server_.handshake();
  }

  bool is_served(const ClientHelloBuilder& second) {
    const TlsEngine::Step step = answer_to(second);
    return step.next == TlsEngine::Step::Next::need_input && output_.size() > 100;
  }

  bool is_refused(const ClientHelloBuilder& second) {
    const Bytes illegal_parameter = {21, 3, 3, 0, 2, 2, 47};
    const TlsEngine::Step step = answer_to(second);
    return step.error == Errc::client_hello_changed && output_ == illegal_parameter;
  }

  std::shared_ptr<CertManager> manager_ =
      CertManager::create(CertSet{.default_identity = self_signed().value(),
                                  .identities = {{"a.example", self_signed().value()},
                                                 {"b.example", self_signed().value()}}})
          .value();
  TlsEngine server_{std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager_})};
  Bytes output_;
};

TEST_F(SecondClientHello, IsTheFirstWithTheShareThatWasAskedFor) {
  EXPECT_TRUE(is_served(hello(shares({kX25519}))));
}

TEST_F(SecondClientHello, MayChangeItsOrderAndItsPadding) {
  ClientHelloBuilder second = hello(shares({kX25519}));
  second.with(21, Bytes(50, 0));
  std::swap(second.extensions[0], second.extensions[2]);
  EXPECT_TRUE(is_served(second));
}

TEST_F(SecondClientHello, AsksForTheSame) {
  const std::vector<std::pair<const char*, std::function<void(ClientHelloBuilder&)>>> changes = {
      {"the name", [](auto& hello) { data_of(hello, 0) = name("b.example"); }},
      {"the case of the name", [](auto& hello) { data_of(hello, 0) = name("A.example"); }},
      {"no name", [](auto& hello) { hello.extensions.erase(hello.extensions.begin()); }},
      {"the groups",
       [](auto& hello) {
         data_of(hello, 10) = prefixed(2, code_points({kP256, kX25519}));
       }},
      {"the signature algorithms",
       [](auto& hello) { data_of(hello, 13) = prefixed(2, code_points({0x0403})); }},
      {"the protocols",
       [](auto& hello) { data_of(hello, 16) = prefixed(2, prefixed(1, to_bytes("h2"))); }},
      {"the versions",
       [](auto& hello) {
         data_of(hello, 43) = prefixed(1, code_points({0x0304, 0x0303}));
       }},
      {"one more extension", [](auto& hello) { hello.with(0xfafa, {}); }},
      {"the session", [](auto& hello) { hello.session_id.back() ^= 1; }},
      {"the cipher suites", [](auto& hello) { hello.cipher_suites = code_points({0x1301}); }},
      {"the compressions",
       [](auto& hello) {
         hello.compressions = {0, 1};
       }},
      {"the version", [](auto& hello) { hello.legacy_version = 0x0302; }},
  };
  for (const auto& [what, change] : changes) {
    ClientHelloBuilder second = hello(shares({kX25519}));
    change(second);
    EXPECT_TRUE(is_refused(second)) << what;
  }
}

TEST_F(SecondClientHello, HasOneShare) {
  EXPECT_TRUE(is_refused(hello(shares({}))));
  EXPECT_TRUE(is_refused(hello(shares({kX25519, 0x4a4a}))));
}

}  // namespace
}  // namespace livetls
