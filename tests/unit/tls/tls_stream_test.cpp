#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;

// ---- The whole way, in chunks ------------------------------------------------------------------

struct Passage {
  TlsVersion version;
  std::size_t chunk;
};

class TlsStreamPassageTest : public TlsStreamTest, public ::testing::WithParamInterface<Passage> {};

TEST_P(TlsStreamPassageTest, HandshakesEchoesAndShutsDown) {
  Ends ends = connect({.chunk = GetParam().chunk}, GetParam().version);
  const std::string message(GetParam().chunk < 64 ? 3'000 : 100'000, 'm');
  Answer client, server;
  play(say_hello_and_read_the_echo(ends.client, message), ends.client, client);
  play(echo_until_end(ends.server), ends.server, server);
  run();
  EXPECT_EQ(client, error_code());
  EXPECT_EQ(server, error_code());
  EXPECT_EQ(ends.client.tls().version(), GetParam().version);
  EXPECT_EQ(ends.server.tls().served()->generation, 1U);
}

TEST_P(TlsStreamPassageTest, AnErrorAtAnyStepEndsBothSides) {
  const std::size_t chunk = GetParam().chunk;
  const std::size_t step = chunk >= 64 ? 1 : 64 / chunk;  // hundreds of places are enough
  for (std::size_t fail_at = 0;; fail_at += step) {
    SCOPED_TRACE("operation " + std::to_string(fail_at));
    Ends ends = connect({.chunk = chunk, .fail_at = fail_at}, GetParam().version);
    Answer client, server;
    play(say_hello_and_read_the_echo(ends.client, "hello"), ends.client, client);
    play(echo_until_end(ends.server), ends.server, server);
    run();
    ASSERT_TRUE(client);
    ASSERT_TRUE(server);
    if (!ends.client.next_layer().fault_has_fired()) {
      EXPECT_EQ(client, error_code());
      EXPECT_EQ(server, error_code());
      ASSERT_GT(fail_at, 10U);
      break;
    }
    const bool at_client = ends.client.next_layer().fault_fired_here();
    const Answer& here = at_client ? client : server;
    const Answer& there = at_client ? server : client;
    EXPECT_EQ(here, error_code(MemoryStream::kInjected));
    // The other side had everything it needs, or learns that the rest does not come.
    EXPECT_TRUE(there == error_code() || there == error_code(Errc::stream_truncated) ||
                there == error_code(asio::error::broken_pipe))
        << there->message();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Chunks, TlsStreamPassageTest,
    ::testing::Values(Passage{TlsVersion::tls1_3, 1}, Passage{TlsVersion::tls1_3, 5},
                      Passage{TlsVersion::tls1_3, 13}, Passage{TlsVersion::tls1_3, 64},
                      Passage{TlsVersion::tls1_3, 1024},
                      Passage{TlsVersion::tls1_3, MemoryStream::kUnlimited},
                      Passage{TlsVersion::tls1_2, 1}, Passage{TlsVersion::tls1_2, 13},
                      Passage{TlsVersion::tls1_2, 1024},
                      Passage{TlsVersion::tls1_2, MemoryStream::kUnlimited}),
    [](const auto& passage) {
      const bool tls13 = passage.param.version == TlsVersion::tls1_3;
      const bool whole = passage.param.chunk == MemoryStream::kUnlimited;
      return std::string(tls13 ? "Tls13" : "Tls12") +
             (whole ? "Unlimited" : "Chunk" + std::to_string(passage.param.chunk));
    });

// ---- Several operations at once ----------------------------------------------------------------

TEST_F(TlsStreamTest, BothPeersWriteMoreThanFitsInBetweenAndBothReadIt) {
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    constexpr std::size_t kSize = 4 << 20;
    Ends ends = connected({.capacity = 16 * 1024}, version);
    const std::string up(kSize, 'u'), down(kSize, 'd');
    std::string arrived_up(kSize, '\0'), arrived_down(kSize, '\0');
    std::size_t completed = 0;
    const auto count = [&](std::exception_ptr exception) { completed += !exception; };
    asio::co_spawn(io, write_all(ends.client, up), count);
    asio::co_spawn(io, write_all(ends.server, down), count);
    asio::co_spawn(io, read_all(ends.server, arrived_up), count);
    asio::co_spawn(io, read_all(ends.client, arrived_down), count);
    run();
    EXPECT_EQ(completed, 4U);
    EXPECT_TRUE(arrived_up == up);
    EXPECT_TRUE(arrived_down == down);
  }
}

TEST_F(TlsStreamTest, AReadMayWaitWhileMuchIsWritten) {
  Ends ends = connected();
  char byte;
  std::optional<SizedAnswer> read;
  ends.server.async_read_some(asio::buffer(&byte, 1), into(read));
  const std::string much(100'000, 'x');
  std::optional<SizedAnswer> written;
  asio::async_write(ends.server, asio::buffer(much), into(written));
  poll();
  EXPECT_FALSE(read);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->bytes, 100'000U);
  write(ends.client, "!");
  ASSERT_TRUE(read);
  EXPECT_EQ(byte, '!');
}

TEST_F(TlsStreamTest, AShutdownWhileAReadIsWaitingCompletesBoth) {
  Ends ends = connected();
  char byte;
  std::optional<SizedAnswer> server_read, client_read;
  Answer server_shutdown, client_shutdown;
  ends.server.async_read_some(asio::buffer(&byte, 1), into(server_read));
  ends.server.async_shutdown(into(server_shutdown));
  ends.client.async_read_some(asio::buffer(&byte, 1), into(client_read));
  poll();
  ASSERT_TRUE(client_read);
  EXPECT_EQ(client_read->error, asio::error::eof);
  EXPECT_FALSE(server_shutdown) << "close_notify of the peer is waited for";
  ends.client.async_shutdown(into(client_shutdown));
  run();
  EXPECT_EQ(server_shutdown, error_code());
  EXPECT_EQ(client_shutdown, error_code());
  ASSERT_TRUE(server_read);
  EXPECT_EQ(server_read->error, asio::error::eof);
}

// ---- Writes are gathered -----------------------------------------------------------------------

TEST_F(TlsStreamTest, EveryFlightOfTheHandshakeIsOneWrite) {
  Ends tls13 = connected({}, TlsVersion::tls1_3);
  EXPECT_EQ(tls13.server.next_layer().writes(), 1U);
  EXPECT_EQ(tls13.client.next_layer().writes(), 2U);
  Ends tls12 = connected({}, TlsVersion::tls1_2);
  EXPECT_EQ(tls12.server.next_layer().writes(), 2U);
  EXPECT_EQ(tls12.client.next_layer().writes(), 2U);
}

TEST_F(TlsStreamTest, AHeadAndABodyGoOutInOneWriteAndOneRecord) {
  Ends ends = connected();
  const std::size_t before = ends.server.next_layer().writes();
  const std::array<asio::const_buffer, 4> pieces = {asio::buffer("head: ", 6), asio::const_buffer(),
                                                    asio::buffer("and ", 4),
                                                    asio::buffer("body", 4)};
  std::optional<SizedAnswer> written, read;
  asio::async_write(ends.server, pieces, into(written));
  run();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->bytes, 14U);
  EXPECT_EQ(ends.server.next_layer().writes() - before, 1U);

  std::array<char, 64> buffer;
  ends.client.async_read_some(asio::buffer(buffer), into(read));  // a record at a time
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(std::string(buffer.data(), read->bytes), "head: and body");
}

TEST_F(TlsStreamTest, BuffersOfEverySizeArriveWhole) {
  for (const std::size_t head : {1U, 100U, 16'383U, 16'384U, 16'385U, 70'000U}) {
    for (const std::size_t body : {0U, 1U, 16'384U, 70'000U}) {
      Ends ends = connected();
      const std::string a(head, 'a'), b(body, 'b');
      std::string arrived(head + body, '\0');
      std::optional<SizedAnswer> written, read;
      const std::array pieces = {asio::buffer(a), asio::buffer(b)};
      asio::async_write(ends.client, pieces, into(written));
      asio::async_read(ends.server, asio::buffer(arrived), into(read));
      run();
      ASSERT_TRUE(read && written);
      EXPECT_EQ(written->bytes, head + body);
      EXPECT_TRUE(arrived == a + b) << head << " + " << body;
    }
  }
}

}  // namespace
}  // namespace livetls
