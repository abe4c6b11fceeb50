#include "livetls/tls/client_hello.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"

namespace livetls {
namespace {

using test::append;
using test::append_number;
using test::Bytes;
using test::ClientHelloBuilder;
using test::code_points;
using test::prefixed;
using test::to_bytes;

// ---- The message -------------------------------------------------------------------------------

Errc parse_error(const Bytes& body) {
  const Result<ClientHello> parsed = ClientHello::parse(body);
  return parsed ? Errc{} : static_cast<Errc>(parsed.error().code.value());
}

Errc parse_error(const ClientHelloBuilder& builder) { return parse_error(builder.body()); }

TEST(ClientHelloTest, TellsAllThatTheChoiceOfACertificateMayDependOn) {
  const Bytes body = ClientHelloBuilder()
                         .with_server_name("api.example")
                         .with_alpn({"h2", "http/1.1"})
                         .with(10, prefixed(2, code_points({0x001d, 0x0017})))
                         .with(13, prefixed(2, code_points({0x0403, 0x0804})))
                         .with(43, prefixed(1, code_points({0x0304, 0x0303})))
                         .with(50, prefixed(2, code_points({0x0503})))
                         .with(0xfe0d, to_bytes("unknown to us"))
                         .body();
  const Result<ClientHello> parsed = ClientHello::parse(body);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->legacy_version, 0x0303);
  EXPECT_EQ(parsed->server_name, "api.example");
  EXPECT_TRUE(parsed->alpn.contains("h2"));
  EXPECT_TRUE(parsed->alpn.contains("http/1.1"));
  EXPECT_FALSE(parsed->alpn.contains("http/1"));
  EXPECT_FALSE(parsed->alpn.contains(""));
  EXPECT_EQ(parsed->cipher_suites.size(), 2U);
  EXPECT_TRUE(parsed->cipher_suites.contains(0x1301));
  EXPECT_FALSE(parsed->cipher_suites.contains(0x01c0)) << "code points are not read across";
  EXPECT_EQ(parsed->supported_groups[1], 0x0017);
  EXPECT_TRUE(parsed->signature_algorithms.contains(0x0804));
  EXPECT_TRUE(parsed->signature_algorithms_cert.contains(0x0503));
  EXPECT_TRUE(parsed->offers_tls13());
}

TEST(ClientHelloTest, ATls12ClientMaySendNoExtensions) {
  ClientHelloBuilder builder;
  builder.has_extensions = false;
  const Bytes body = builder.body();
  const Result<ClientHello> parsed = ClientHello::parse(body);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->server_name, "");
  EXPECT_TRUE(parsed->alpn.empty());
  EXPECT_FALSE(parsed->offers_tls13());
  EXPECT_EQ(parse_error(ClientHelloBuilder()), Errc{}) << "an empty list of them is fine too";
}

TEST(ClientHelloTest, EveryPrefixIsMalformedAndNeverANamelessHello) {
  ClientHelloBuilder builder;
  builder.with_server_name("api.example")
      .with_alpn({"h2"})
      .with(43, prefixed(1, code_points({0x0304})));
  const Bytes body = builder.body();
  ClientHelloBuilder bare = builder;
  bare.has_extensions = false;
  for (std::size_t size = 0; size < body.size(); ++size) {
    // Where the extensions would begin, a TLS 1.2 hello without any ends.
    if (size == bare.body().size()) continue;
    EXPECT_EQ(parse_error(Bytes(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size))),
              Errc::malformed_client_hello)
        << size << " of " << body.size() << " bytes";
  }
  EXPECT_EQ(parse_error(body), Errc{});
}

TEST(ClientHelloTest, BytesAfterTheExtensionsAreMalformed) {
  ClientHelloBuilder builder;
  builder.after_extensions = {0};
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
}

TEST(ClientHelloTest, AnExtensionThatIsSentTwiceIsMalformed) {
  EXPECT_EQ(
      parse_error(ClientHelloBuilder().with_server_name("a.example").with_server_name("b.example")),
      Errc::malformed_client_hello);
  EXPECT_EQ(parse_error(ClientHelloBuilder().with(0xfe0d, {}).with(0xfe0d, {})),
            Errc::malformed_client_hello);
}

TEST(ClientHelloTest, MoreThanSixtyFourExtensionsAreMalformed) {
  ClientHelloBuilder builder;
  for (std::uint16_t i = 0; i < 64; ++i) builder.with(static_cast<std::uint16_t>(1000 + i), {});
  EXPECT_EQ(parse_error(builder), Errc{});
  builder.with(2000, {});
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
}

TEST(ClientHelloTest, AServerNameThatIsNotOneNameIsMalformed) {
  const auto with_list = [](const Bytes& list) {
    return parse_error(ClientHelloBuilder().with(0, prefixed(2, list)));
  };
  const auto entry = [](std::string_view name, std::uint8_t type = 0) {
    return ClientHelloBuilder::server_name_entry(name, type);
  };
  Bytes two = entry("a.example");
  append(two, entry("b.example"));
  Bytes trailing = entry("a.example");
  trailing.push_back(0);

  EXPECT_EQ(with_list(entry("a.example")), Errc{});
  EXPECT_EQ(with_list(two), Errc::malformed_client_hello);
  EXPECT_EQ(with_list(trailing), Errc::malformed_client_hello);
  EXPECT_EQ(with_list(entry("a.example", 1)), Errc::malformed_client_hello) << "another type";
  EXPECT_EQ(with_list(entry("")), Errc::malformed_client_hello);
  EXPECT_EQ(with_list({}), Errc::malformed_client_hello);
  EXPECT_EQ(with_list(entry(std::string_view("a.example\0.evil", 15))),
            Errc::malformed_client_hello);
  EXPECT_EQ(parse_error(ClientHelloBuilder().with(0, {})), Errc::malformed_client_hello)
      << "empty is what servers send";
  Bytes extension_tail = prefixed(2, entry("a.example"));
  extension_tail.push_back(0);
  EXPECT_EQ(parse_error(ClientHelloBuilder().with(0, extension_tail)),
            Errc::malformed_client_hello);
}

TEST(ClientHelloTest, AnAlpnListThatIsNoneIsMalformed) {
  const auto with_alpn = [](const Bytes& data) {
    return parse_error(ClientHelloBuilder().with(16, data));
  };
  Bytes tail = prefixed(2, prefixed(1, to_bytes("h2")));
  tail.push_back(0);
  EXPECT_EQ(with_alpn(prefixed(2, prefixed(1, to_bytes("h2")))), Errc{});
  EXPECT_EQ(with_alpn({}), Errc::malformed_client_hello);
  EXPECT_EQ(with_alpn(prefixed(2, {})), Errc::malformed_client_hello) << "no protocol";
  EXPECT_EQ(with_alpn(prefixed(2, prefixed(1, {}))), Errc::malformed_client_hello) << "empty one";
  EXPECT_EQ(with_alpn(prefixed(2, Bytes{3, 'h', '2'})), Errc::malformed_client_hello) << "torn";
  EXPECT_EQ(with_alpn(tail), Errc::malformed_client_hello);
}

TEST(ClientHelloTest, ListsOfCodePointsMustBeEvenAndNotEmpty) {
  for (const auto type : std::array<std::uint16_t, 3>{10, 13, 50}) {
    EXPECT_EQ(parse_error(ClientHelloBuilder().with(type, prefixed(2, Bytes{0, 1, 2}))),
              Errc::malformed_client_hello);
    EXPECT_EQ(parse_error(ClientHelloBuilder().with(type, prefixed(2, {}))),
              Errc::malformed_client_hello);
    EXPECT_EQ(parse_error(ClientHelloBuilder().with(type, {})), Errc::malformed_client_hello);
  }
  EXPECT_EQ(parse_error(ClientHelloBuilder().with(43, prefixed(1, Bytes{3}))),
            Errc::malformed_client_hello);

  ClientHelloBuilder builder;
  builder.cipher_suites = {0x13, 0x01, 0x13};
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
  builder.cipher_suites = {};
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
}

TEST(ClientHelloTest, TheNullCompressionMustBeOffered) {
  ClientHelloBuilder builder;
  builder.compressions = {1};
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
  builder.compressions = {};
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
  builder.compressions = {1, 0};
  EXPECT_EQ(parse_error(builder), Errc{});
}

TEST(ClientHelloTest, ASessionIdHasThirtyTwoBytesAtMost) {
  ClientHelloBuilder builder;
  builder.session_id = {};
  EXPECT_EQ(parse_error(builder), Errc{});
  builder.session_id = Bytes(33, 0x5e);
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
}

TEST(ClientHelloTest, AVersionBeforeSsl3IsMalformed) {
  ClientHelloBuilder builder;
  builder.legacy_version = 0x0200;
  EXPECT_EQ(parse_error(builder), Errc::malformed_client_hello);
}

// ---- Finding it in the bytes of a connection
// -----------------------------------------------------

/// What a reader says to bytes that arrive all at once.
Errc read_error(const Bytes& bytes) {
  ClientHelloReader reader;
  const auto read = reader.read(bytes);
  return read ? Errc{} : static_cast<Errc>(read.error().code.value());
}

/// The same for bytes of which more may come.
enum class Verdict { undecided, complete, refused };

Verdict verdict(const Bytes& bytes) {
  ClientHelloReader reader;
  const auto read = reader.read(bytes);
  if (!read) return Verdict::refused;
  return *read == nullptr ? Verdict::undecided : Verdict::complete;
}

class ClientHelloReaderTest : public ::testing::Test {
 protected:
  ClientHelloReaderTest() { builder.with_server_name("api.example").with_alpn({"h2"}); }

  /// Feeds `bytes` one at a time into memory that moves each time, as a growing buffer does.
  void expect_found_at_the_last_byte_of(const Bytes& bytes) {
    ClientHelloReader reader;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes so_far(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const auto read = reader.read(so_far);
      ASSERT_TRUE(read) << "after " << size << " bytes: " << read.error().message();
      ASSERT_EQ(*read, nullptr) << "after " << size << " bytes";
    }
    const auto read = reader.read(bytes);
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_NE(*read, nullptr);
    EXPECT_EQ((*read)->server_name, "api.example");
    EXPECT_TRUE((*read)->alpn.contains("h2"));
  }

  ClientHelloBuilder builder;
};

TEST_F(ClientHelloReaderTest, OneRecordByteByByte) {
  expect_found_at_the_last_byte_of(builder.records());
}

TEST_F(ClientHelloReaderTest, ManyRecordsHoweverTheyCutTheMessage) {
  for (const std::size_t fragment : {1U, 2U, 3U, 4U, 5U, 37U, 100U}) {
    SCOPED_TRACE(fragment);
    expect_found_at_the_last_byte_of(builder.records(fragment));
  }
}

TEST_F(ClientHelloReaderTest, ManyRecordsAtOnce) {
  for (const std::size_t fragment : {1U, 3U, 50U}) {
    ClientHelloReader reader;
    const Bytes bytes = builder.records(fragment);
    const auto read = reader.read(bytes);
    ASSERT_TRUE(read && *read);
    EXPECT_EQ((*read)->server_name, "api.example");
  }
}

TEST_F(ClientHelloReaderTest, WhatFollowsInAnotherRecordIsNotLookedAt) {
  Bytes bytes = builder.records();
  append(bytes, to_bytes("anything"));
  EXPECT_EQ(verdict(bytes), Verdict::complete);
}

TEST_F(ClientHelloReaderTest, WhatFollowsInItsOwnRecordIsMalformed) {
  Bytes message = builder.message();
  message.push_back(0);
  EXPECT_EQ(read_error(ClientHelloBuilder::record(message)), Errc::malformed_client_hello);
  EXPECT_EQ(read_error(ClientHelloBuilder::split(message, 50)), Errc::malformed_client_hello);
}

TEST_F(ClientHelloReaderTest, ARecordWithoutBytesIsMalformed) {
  EXPECT_EQ(read_error({22, 3, 1, 0, 0}), Errc::malformed_client_hello);
  const Bytes message = builder.message();
  Bytes bytes = ClientHelloBuilder::record(std::span(message).first(10));
  append(bytes, Bytes{22, 3, 1, 0, 0});
  append(bytes, ClientHelloBuilder::record(std::span(message).subspan(10)));
  EXPECT_EQ(read_error(bytes), Errc::malformed_client_hello);
}

TEST_F(ClientHelloReaderTest, ARecordThatAnnouncesMoreThanARecordHoldsIsMalformed) {
  EXPECT_EQ(read_error({22, 3, 1, 0x40, 0x01}), Errc::malformed_client_hello);
  EXPECT_EQ(verdict({22, 3, 1, 0x40, 0x00}), Verdict::undecided);
}

TEST_F(ClientHelloReaderTest, AnotherMessageIsMalformedAndNotWaitedFor) {
  EXPECT_EQ(read_error({22, 3, 1, 0x02, 0x00, 2}), Errc::malformed_client_hello);
}

TEST_F(ClientHelloReaderTest, AnotherRecordInTheMiddleIsMalformed) {
  const Bytes message = builder.message();
  for (const std::uint8_t type : Bytes{20, 21, 23, 'G'}) {
    Bytes bytes = ClientHelloBuilder::record(std::span(message).first(10));
    bytes.push_back(type);
    EXPECT_EQ(read_error(bytes), Errc::malformed_client_hello) << int{type};
  }
}

TEST_F(ClientHelloReaderTest, WhatIsTooLargeIsRefusedBeforeItIsThere) {
  // 4 bytes of a message that would have 32 KiB: the largest that is waited for, and one byte more.
  const auto begins = [](std::size_t size) {
    Bytes header = {1};
    append_number(header, size - 4, 3);
    return ClientHelloBuilder::record(header);
  };
  EXPECT_EQ(verdict(begins(ClientHelloReader::kMaxMessageBytes)), Verdict::undecided);
  EXPECT_EQ(read_error(begins(ClientHelloReader::kMaxMessageBytes + 1)),
            Errc::client_hello_too_large);
  EXPECT_EQ(read_error(begins(0xffffff)), Errc::client_hello_too_large);

  // Likewise while the record is still on its way.
  EXPECT_EQ(read_error({22, 3, 1, 0x40, 0x00, 1, 0xff, 0xff, 0xff}), Errc::client_hello_too_large);
}

TEST_F(ClientHelloReaderTest, TheLargestThatIsAllowedIsRead) {
  const std::size_t padding =
      ClientHelloReader::kMaxMessageBytes - builder.message().size() - 4;  // its type and length
  builder.with(21, Bytes(padding, 0));
  ASSERT_EQ(builder.message().size(), ClientHelloReader::kMaxMessageBytes);
  EXPECT_EQ(verdict(builder.records(16'384)), Verdict::complete);
  EXPECT_EQ(verdict(builder.records(64)), Verdict::complete);
}

TEST_F(ClientHelloReaderTest, AMalformedHelloIsAnErrorHoweverItIsCut) {
  ClientHelloBuilder bad;
  bad.with(0, prefixed(2, ClientHelloBuilder::server_name_entry("")));
  for (const std::size_t fragment : {1U, 7U, 1000U}) {
    EXPECT_EQ(read_error(bad.records(fragment)), Errc::malformed_client_hello);
  }
}

TEST_F(ClientHelloReaderTest, StrangersAreToldApart) {
  EXPECT_EQ(read_error(to_bytes("SSH-2.0-OpenSSH_9.2\r\n")), Errc::not_tls);
  EXPECT_EQ(read_error(to_bytes("EHLO example\r\n")), Errc::not_tls);
  EXPECT_EQ(read_error({0x80, 0x2e, 0x01, 0x00, 0x02}), Errc::not_tls) << "an SSLv2 hello";
  EXPECT_EQ(read_error({0}), Errc::not_tls);
  EXPECT_EQ(read_error({21, 3, 1, 0, 2, 2, 40}), Errc::not_tls) << "an alert";
  EXPECT_EQ(read_error({23, 3, 3, 0, 1, 0}), Errc::not_tls) << "application data";
  EXPECT_EQ(read_error({22, 2, 0, 0, 5}), Errc::not_tls) << "no version of TLS";
}

TEST_F(ClientHelloReaderTest, HttpIsRecognisedAtItsFourthByteAndNotGuessedBefore) {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "HEAD / HTTP/1.1\r\n", "PUT / HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n", "DELETE / HTTP/1.1\r\n", "CONNECT a:1 HTTP/1.1\r\n",
        "TRACE / HTTP/1.1\r\n", "PATCH / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n"}) {
    for (std::size_t size = 1; size < 4; ++size) {
      EXPECT_EQ(verdict(to_bytes(request.substr(0, size))), Verdict::undecided) << request;
    }
    EXPECT_EQ(read_error(to_bytes(request.substr(0, 4))), Errc::plain_http) << request;
    EXPECT_EQ(read_error(to_bytes(request)), Errc::plain_http) << request;
  }
  EXPECT_EQ(read_error(to_bytes("GETX")), Errc::not_tls);
  EXPECT_EQ(read_error(to_bytes("get /")), Errc::not_tls);
}

TEST_F(ClientHelloReaderTest, NothingIsUndecided) { EXPECT_EQ(verdict({}), Verdict::undecided); }

// ---- From real clients
// ---------------------------------------------------------------------------

TEST_F(ClientHelloReaderTest, WhatOurOwnClientSends) {
  const auto context =
      ClientContext::create({.alpn = {"h2", "http/1.1"}, .insecure_skip_verify = true}).value();
  TlsEngine client(context, ServerName::parse("www.example.com").value());
  client.handshake();
  Bytes flight;
  client.take_output(flight);
  ClientHelloReader reader;
  const auto read = reader.read(flight);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->server_name, "www.example.com");
  EXPECT_TRUE((*read)->alpn.contains("http/1.1"));
  EXPECT_TRUE((*read)->offers_tls13());
  EXPECT_TRUE((*read)->supported_groups.contains(0x001d));
}

TEST_F(ClientHelloReaderTest, WhatOpensslSends) {
  // openssl 3.0 s_client -servername api.example.com -alpn h2,http/1.1
  constexpr std::uint8_t kCapture[] = {
      0x16, 0x03, 0x01, 0x01, 0x4e, 0x01, 0x00, 0x01, 0x4a, 0x03, 0x03, 0xb9, 0x49, 0x99, 0x96,
      0x08, 0x6d, 0x59, 0x26, 0x16, 0xb4, 0x48, 0xe6, 0x4b, 0x80, 0xb3, 0x7f, 0x7e, 0x5b, 0xe8,
      0x86, 0x89, 0x70, 0xc7, 0x56, 0x0d, 0xf0, 0xe7, 0x59, 0xb4, 0xe2, 0x45, 0x07, 0x20, 0x6b,
      0xa0, 0x11, 0x6d, 0xe6, 0xab, 0xd6, 0xa8, 0x6c, 0xcf, 0x64, 0xdd, 0xb1, 0xb4, 0xda, 0x90,
      0xbe, 0x12, 0xcf, 0x04, 0x66, 0x19, 0xda, 0x63, 0x86, 0x9f, 0xae, 0x9b, 0x59, 0x83, 0xea,
      0x23, 0x00, 0x3e, 0x13, 0x02, 0x13, 0x03, 0x13, 0x01, 0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9f,
      0xcc, 0xa9, 0xcc, 0xa8, 0xcc, 0xaa, 0xc0, 0x2b, 0xc0, 0x2f, 0x00, 0x9e, 0xc0, 0x24, 0xc0,
      0x28, 0x00, 0x6b, 0xc0, 0x23, 0xc0, 0x27, 0x00, 0x67, 0xc0, 0x0a, 0xc0, 0x14, 0x00, 0x39,
      0xc0, 0x09, 0xc0, 0x13, 0x00, 0x33, 0x00, 0x9d, 0x00, 0x9c, 0x00, 0x3d, 0x00, 0x3c, 0x00,
      0x35, 0x00, 0x2f, 0x00, 0xff, 0x01, 0x00, 0x00, 0xc3, 0x00, 0x00, 0x00, 0x14, 0x00, 0x12,
      0x00, 0x00, 0x0f, 0x61, 0x70, 0x69, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e,
      0x63, 0x6f, 0x6d, 0x00, 0x0b, 0x00, 0x04, 0x03, 0x00, 0x01, 0x02, 0x00, 0x0a, 0x00, 0x16,
      0x00, 0x14, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x1e, 0x00, 0x19, 0x00, 0x18, 0x01, 0x00, 0x01,
      0x01, 0x01, 0x02, 0x01, 0x03, 0x01, 0x04, 0x00, 0x23, 0x00, 0x00, 0x00, 0x10, 0x00, 0x0e,
      0x00, 0x0c, 0x02, 0x68, 0x32, 0x08, 0x68, 0x74, 0x74, 0x70, 0x2f, 0x31, 0x2e, 0x31, 0x00,
      0x16, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x2a, 0x00, 0x28, 0x04, 0x03,
      0x05, 0x03, 0x06, 0x03, 0x08, 0x07, 0x08, 0x08, 0x08, 0x09, 0x08, 0x0a, 0x08, 0x0b, 0x08,
      0x04, 0x08, 0x05, 0x08, 0x06, 0x04, 0x01, 0x05, 0x01, 0x06, 0x01, 0x03, 0x03, 0x03, 0x01,
      0x03, 0x02, 0x04, 0x02, 0x05, 0x02, 0x06, 0x02, 0x00, 0x2b, 0x00, 0x09, 0x08, 0x03, 0x04,
      0x03, 0x03, 0x03, 0x02, 0x03, 0x01, 0x00, 0x2d, 0x00, 0x02, 0x01, 0x01, 0x00, 0x33, 0x00,
      0x26, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20, 0x2c, 0x25, 0xed, 0x86, 0x56, 0x9e, 0x34, 0x5f,
      0x06, 0x30, 0xd2, 0xc2, 0xb4, 0xcc, 0x50, 0xaa, 0x7a, 0x34, 0x03, 0xa5, 0x98, 0x5d, 0x17,
      0x1c, 0xf0, 0xaf, 0x21, 0x58, 0xf5, 0x20, 0xe9, 0x12,
  };
  for (std::size_t size = 0; size < sizeof kCapture; ++size) {
    EXPECT_EQ(verdict(Bytes(kCapture, kCapture + size)), Verdict::undecided);
  }
  const Bytes bytes(kCapture, kCapture + sizeof kCapture);
  ClientHelloReader reader;
  const auto read = reader.read(bytes);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->legacy_version, 0x0303);
  EXPECT_EQ((*read)->server_name, "api.example.com");
  EXPECT_TRUE((*read)->alpn.contains("h2"));
  EXPECT_TRUE((*read)->alpn.contains("http/1.1"));
  EXPECT_FALSE((*read)->alpn.contains("h3"));
  EXPECT_TRUE((*read)->offers_tls13());
  EXPECT_EQ((*read)->supported_groups[0], 0x001d);
  EXPECT_TRUE((*read)->signature_algorithms.contains(0x0403));
  EXPECT_TRUE((*read)->cipher_suites.contains(0x1302));
  EXPECT_TRUE((*read)->signature_algorithms_cert.empty());
}

TEST_F(ClientHelloReaderTest, HoldsNoMoreThanItsLimitHoweverManyRecordsItComesIn) {
  const Bytes records = ClientHelloBuilder().with(0xfe0d, Bytes(30'000, 1)).records(1);
  ClientHelloReader reader;
  std::size_t arrived = 0;
  Result<const ClientHello*> read = nullptr;
  while (read && *read == nullptr && arrived < records.size()) {
    arrived += 1000;
    read = reader.read(std::span(records).first(std::min(arrived, records.size())));
  }
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), Errc::client_hello_too_large);
  EXPECT_LE(arrived, ClientHelloReader::kMaxRecordBytesInAll + 1000);
}

}  // namespace
}  // namespace livetls
