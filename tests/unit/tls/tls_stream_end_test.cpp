#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;

// ---- The end of the stream ---------------------------------------------------------------------

TEST_F(TlsStreamTest, CloseNotifyIsEofAndACutIsTruncation) {
  char byte;
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    for (const bool says_goodbye : {true, false}) {
      Ends ends = connected({}, version);
      Answer goodbye;
      if (says_goodbye) ends.client.async_shutdown(into(goodbye));
      poll();
      ends.client.next_layer().close();
      std::optional<SizedAnswer> first, second;
      ends.server.async_read_some(asio::buffer(&byte, 1), into(first));
      run();
      ends.server.async_read_some(asio::buffer(&byte, 1), into(second));
      run();
      const error_code expected =
          says_goodbye ? error_code(asio::error::eof) : error_code(Errc::stream_truncated);
      ASSERT_TRUE(first && second);
      EXPECT_EQ(first->error, expected);
      EXPECT_EQ(second->error, expected) << "the end stays the end";
    }
  }
}

TEST_F(TlsStreamTest, AfterThePeersCloseNotifyOneCanStillWrite) {
  Ends ends = connected();
  Answer goodbye, answer;
  ends.client.async_shutdown(into(goodbye));  // reads on, and discards
  poll();
  char byte;
  EXPECT_FALSE(ends.server.read_arrived(asio::buffer(&byte, 1)));
  std::optional<SizedAnswer> read, written;
  ends.server.async_read_some(asio::buffer(&byte, 1), into(read));
  poll();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, asio::error::eof);
  asio::async_write(ends.server, asio::buffer("the rest of the answer", 22), into(written));
  poll();
  ASSERT_TRUE(written);
  EXPECT_FALSE(written->error) << written->error.message();
  ends.server.async_shutdown(into(answer));
  run();
  EXPECT_EQ(answer, error_code());
  EXPECT_EQ(goodbye, error_code());
}

// ---- read_arrived ------------------------------------------------------------------------------

TEST_F(TlsStreamTest, WhatHasArrivedIsReadWithoutWaiting) {
  Ends ends = connected();
  write(ends.client, "one");
  write(ends.client, "two");
  std::array<char, 64> buffer;
  EXPECT_FALSE(ends.server.read_arrived(asio::buffer(buffer))) << "the transport was not read yet";

  std::optional<SizedAnswer> read;
  ends.server.async_read_some(asio::buffer(buffer), into(read));
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(std::string(buffer.data(), read->bytes), "one");
  const std::optional<std::size_t> arrived = ends.server.read_arrived(asio::buffer(buffer));
  ASSERT_TRUE(arrived);
  EXPECT_EQ(std::string(buffer.data(), *arrived), "two");
  EXPECT_FALSE(ends.server.read_arrived(asio::buffer(buffer)));
}

TEST_F(TlsStreamTest, AnEndThatReadArrivedMeetsIsForReadsOnly) {
  Ends ends = connected();
  write(ends.client, "last words");
  Answer goodbye;
  ends.client.async_shutdown(into(goodbye));
  std::array<char, 64> buffer;
  std::optional<SizedAnswer> read;
  ends.server.async_read_some(asio::buffer(buffer), into(read));
  poll();
  ASSERT_TRUE(read && !read->error);

  EXPECT_FALSE(ends.server.read_arrived(asio::buffer(buffer)));  // meets close_notify
  std::optional<SizedAnswer> written, end;
  asio::async_write(ends.server, asio::buffer("answer", 6), into(written));
  poll();
  ASSERT_TRUE(written);
  EXPECT_FALSE(written->error) << written->error.message();
  ends.server.async_read_some(asio::buffer(buffer), into(end));
  poll();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->error, asio::error::eof);

  Answer answer;
  EXPECT_FALSE(ends.server.read_arrived(asio::buffer(buffer)));
  ends.server.async_shutdown(into(answer));
  run();
  EXPECT_EQ(answer, error_code());
  EXPECT_EQ(goodbye, error_code());
}

// ---- Fitting in --------------------------------------------------------------------------------

TEST_F(TlsStreamTest, AStreamMayBeMovedWhileNothingIsOutstanding) {
  Ends ends = connect();
  Stream client(std::move(ends.client));
  Ends moved{std::move(client), std::move(ends.server)};
  handshake(moved);
  Ends again{std::move(moved.client), std::move(moved.server)};
  write(again.client, "still here");
  std::array<char, 64> buffer;
  std::optional<SizedAnswer> read;
  again.server.async_read_some(asio::buffer(buffer), into(read));
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(std::string(buffer.data(), read->bytes), "still here");
}

/// Nobody could catch it: it is in the completion of a read.
TEST_F(TlsStreamTest, WhatIsThrownInAHandshakeEndsThatHandshakeOnly) {
  struct OutOfMemory final : ContextSource {
    Result<Served> select(const ClientHello&) const override { throw std::bad_alloc(); }
  };
  const auto config = std::make_shared<const ServerConfig>(
      ServerConfig{.contexts = std::make_shared<OutOfMemory>()});
  auto [client_end, server_end] = MemoryStream::make_pair(io, {});
  Stream client(std::move(client_end), trusting({}), ServerName::parse("localhost").value());
  Stream server(std::move(server_end), config);
  Answer at_server, at_client;
  server.async_handshake(into(at_server));
  client.async_handshake([&](error_code error) { at_client = error; });
  EXPECT_NO_THROW(io.run_for(std::chrono::milliseconds(0)));
  io.poll();
  EXPECT_EQ(at_server, error_code(Errc::tls_failure));
  client.next_layer().close();
  run();
}

TEST_F(TlsStreamTest, TheReasonOfAFailureOutlivesATransportThatCannotTakeTheAlert) {
  // Operation 0 is the server's read, 1 the write below, 2 the server's alert.
  Ends ends = connect({.fail_at = 2});
  Answer server;
  ends.server.async_handshake(into(server));
  std::optional<SizedAnswer> written;
  asio::async_write(ends.client.next_layer(), asio::buffer("\x16\x03\x01\x00\x05\x02zzzz", 10),
                    into(written));
  run();
  EXPECT_TRUE(ends.server.next_layer().fault_fired_here());
  EXPECT_EQ(server, error_code(Errc::malformed_client_hello));
}

}  // namespace
}  // namespace livetls
