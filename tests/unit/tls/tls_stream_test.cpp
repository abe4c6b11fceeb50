#include "livetls/tls/tls_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <string>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/memory_stream.hpp"

namespace livetls {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using test::MemoryStream;
using Stream = TlsStream<MemoryStream>;

static_assert(boost::beast::is_async_stream<Stream>::value);

constexpr auto kPatience = std::chrono::seconds(10);  // for what would otherwise hang

/// The answer of one asynchronous operation. Not yet given: the optional is empty.
using Answer = std::optional<error_code>;

struct SizedAnswer {
  error_code error;
  std::size_t bytes;
};

auto into(Answer& answer) {
  return [&answer](error_code error) {
    EXPECT_FALSE(answer) << "a handler was called twice";
    answer = error;
  };
}

auto into(std::optional<SizedAnswer>& answer) {
  return [&answer](error_code error, std::size_t bytes) {
    EXPECT_FALSE(answer) << "a handler was called twice";
    answer = {error, bytes};
  };
}

/// What a peer does from handshake to shutdown. Throws where an operation fails.
Task<void> say_hello_and_read_the_echo(Stream& stream, std::string message) {
  co_await stream.async_handshake(use_task);
  co_await asio::async_write(stream, asio::buffer(message), use_task);
  std::string echo(message.size(), '\0');
  co_await asio::async_read(stream, asio::buffer(echo), use_task);
  EXPECT_EQ(echo, message);
  co_await stream.async_shutdown(use_task);
}

Task<void> echo_until_end(Stream& stream) {
  co_await stream.async_handshake(use_task);
  std::string buffer(20'000, '\0');
  for (;;) {
    const auto [error, bytes] =
        co_await stream.async_read_some(asio::buffer(buffer), asio::as_tuple(use_task));
    if (error == asio::error::eof) break;
    if (error) throw boost::system::system_error(error);
    co_await asio::async_write(stream, asio::buffer(buffer.data(), bytes), use_task);
  }
  co_await stream.async_shutdown(use_task);
}

Task<void> write_all(Stream& stream, const std::string& data) {
  co_await asio::async_write(stream, asio::buffer(data), use_task);
}

Task<void> read_all(Stream& stream, std::string& data) {
  co_await asio::async_read(stream, asio::buffer(data), use_task);
}

class TlsStreamTest : public ::testing::Test {
 protected:
  struct Ends {
    Stream client;
    Stream server;
  };

  Ends connect(MemoryStream::Options options = {}, TlsVersion version = TlsVersion::tls1_3) {
    const TlsPolicy policy{.min_version = version, .max_version = version};
    auto [client, server] = MemoryStream::make_pair(io, options);
    return {Stream(std::move(client), trusting(policy), ServerName::parse("localhost").value()),
            Stream(std::move(server), serving(policy))};
  }

  /// Ends that have shaken hands already.
  Ends connected(MemoryStream::Options options = {}, TlsVersion version = TlsVersion::tls1_3) {
    Ends ends = connect(options, version);
    handshake(ends);
    return ends;
  }

  void handshake(Ends& ends) {
    Answer client, server;
    ends.client.async_handshake(into(client));
    ends.server.async_handshake(into(server));
    run();
    ASSERT_EQ(client, error_code());
    ASSERT_EQ(server, error_code());
  }

  /// Runs what there is to run. An operation that never completes is a failure, not a hang.
  void run() {
    io.restart();
    io.run_for(kPatience);
    ASSERT_TRUE(io.stopped()) << "an operation never completed";
  }

  /// Runs what can be run without waiting.
  void poll() {
    io.restart();
    io.poll();
  }

  /// Runs `task` to its end, closes its stream, and answers what it failed with.
  void play(Task<void> task, Stream& stream, Answer& answer) {
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr exception) {
      stream.next_layer().close();
      answer.emplace();
      try {
        if (exception) std::rethrow_exception(exception);
      } catch (const boost::system::system_error& error) {
        answer = error.code();
      }
    });
  }

  void write(Stream& stream, std::string_view text) {
    std::optional<SizedAnswer> answer;
    asio::async_write(stream, asio::buffer(text), into(answer));
    run();
    ASSERT_TRUE(answer && !answer->error) << answer->error.message();
  }

  std::shared_ptr<const ServerConfig> serving(TlsPolicy policy) {
    const auto manager =
        CertManager::create(CertSet{.default_identity = certificate, .policy = policy},
                            {.session_tickets = false})
            .value();
    return std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  }

  std::shared_ptr<const ClientContext> trusting(TlsPolicy policy) {
    return ClientContext::create({.roots = authority.trust_bundle(), .policy = policy}).value();
  }

  asio::io_context io{1};
  CertificateAuthority authority = CertificateAuthority::create().value();
  Certificate certificate = authority.issue().value();
};

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

// ---- Completion tokens and handlers ------------------------------------------------------------

TEST_F(TlsStreamTest, WorksWithFutures) {
  Ends ends = connect();
  std::future<void> client = ends.client.async_handshake(asio::use_future);
  std::future<void> server = ends.server.async_handshake(asio::use_future);
  run();
  EXPECT_NO_THROW(client.get());
  EXPECT_NO_THROW(server.get());

  std::future<std::size_t> written =
      ends.client.async_write_some(asio::buffer("ping", 4), asio::use_future);
  std::array<char, 16> buffer;
  std::future<std::size_t> read =
      ends.server.async_read_some(asio::buffer(buffer), asio::use_future);
  run();
  EXPECT_EQ(written.get(), 4U);
  EXPECT_EQ(read.get(), 4U);
}

asio::awaitable<std::string> ask_on_any_executor(Stream& stream) {
  co_await stream.async_handshake(asio::use_awaitable);
  co_await asio::async_write(stream, asio::buffer("ping", 4), asio::use_awaitable);
  std::string answer(4, '\0');
  co_await asio::async_read(stream, asio::buffer(answer), asio::use_awaitable);
  co_return answer;
}

TEST_F(TlsStreamTest, WorksWithAwaitablesOfAnyExecutor) {
  Ends ends = connect();
  Answer server;
  play(echo_until_end(ends.server), ends.server, server);
  std::future<std::string> answer = asio::co_spawn(
      asio::any_io_executor(io.get_executor()), ask_on_any_executor(ends.client), asio::use_future);
  poll();
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_EQ(answer.get(), "ping");
  ends.client.next_layer().close();
  run();
}

TEST_F(TlsStreamTest, ADeferredOperationBeginsWhenItIsCalled) {
  Ends ends = connect();
  auto client_handshake = ends.client.async_handshake(asio::deferred);
  auto server_handshake = ends.server.async_handshake(asio::deferred);
  run();
  EXPECT_EQ(ends.client.next_layer().writes(), 0U);
  Answer client, server;
  std::move(client_handshake)(into(client));
  std::move(server_handshake)(into(server));
  run();
  EXPECT_EQ(client, error_code());
  EXPECT_EQ(server, error_code());

  std::array<char, 16> buffer;
  auto deferred_read = ends.server.async_read_some(asio::buffer(buffer), asio::deferred);
  write(ends.client, "later");
  std::optional<SizedAnswer> read;
  std::move(deferred_read)(into(read));
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes, 5U);
}

TEST_F(TlsStreamTest, AHandlerIsNeverCalledFromTheFunctionThatStartsItsOperation) {
  std::array<char, 64> buffer;
  const auto never_at_once = [&](auto start) {
    bool starting = true;
    bool completed = false;
    start([&](error_code, std::size_t = 0) {
      EXPECT_FALSE(starting);
      completed = true;
    });
    starting = false;
    run();
    EXPECT_TRUE(completed);
  };

  Ends ends = connected();
  write(ends.client, "here already");
  never_at_once([&](auto handler) { ends.server.async_handshake(handler); });  // done already
  never_at_once([&](auto h) { ends.server.async_read_some(asio::buffer(buffer, 4), h); });
  never_at_once([&](auto h) { ends.server.async_read_some(asio::buffer(buffer), h); });
  never_at_once([&](auto h) { ends.server.async_read_some(asio::buffer(buffer, 0), h); });
  never_at_once([&](auto h) { ends.server.async_write_some(asio::buffer("", 0), h); });
  never_at_once([&](auto h) { ends.server.async_write_some(asio::buffer("x", 1), h); });

  Ends broken = connect();
  never_at_once([&](auto h) { broken.server.async_read_some(asio::buffer(buffer), h); });
  never_at_once([&](auto h) { broken.server.async_write_some(asio::buffer("x", 1), h); });
  never_at_once([&](auto h) { broken.server.async_handshake(h); });
  never_at_once([&](auto h) { broken.server.async_shutdown(h); });
}

TEST_F(TlsStreamTest, EmptyBuffersCompleteWithoutWaitingForThePeer) {
  Ends ends = connected();
  const std::size_t writes = ends.server.next_layer().writes();
  std::optional<SizedAnswer> read, written;
  ends.server.async_read_some(asio::mutable_buffer(), into(read));
  ends.server.async_write_some(std::array<asio::const_buffer, 2>(), into(written));
  run();
  ASSERT_TRUE(read && written);
  EXPECT_FALSE(read->error);
  EXPECT_FALSE(written->error);
  EXPECT_EQ(read->bytes + written->bytes, 0U);
  EXPECT_EQ(ends.server.next_layer().writes(), writes);
}

// ---- Cancellation ------------------------------------------------------------------------------

TEST_F(TlsStreamTest, AReadThatWasCancelledAnywhereLosesNothing) {
  const std::string message = "all of this arrives";
  bool was_cancelled = true;
  for (std::size_t steps = 0; was_cancelled; ++steps) {
    SCOPED_TRACE("after " + std::to_string(steps) + " steps");
    Ends ends = connected({.chunk = 3});
    std::array<char, 64> buffer;
    asio::cancellation_signal signal;
    std::optional<SizedAnswer> first, second, written;
    ends.server.async_read_some(asio::buffer(buffer),
                                asio::bind_cancellation_slot(signal.slot(), into(first)));
    asio::async_write(ends.client, asio::buffer(message), into(written));
    io.restart();
    for (std::size_t i = 0; i < steps; ++i) io.poll_one();
    signal.emit(asio::cancellation_type::total);
    poll();
    ASSERT_TRUE(first) << "the cancelled read never completed";
    was_cancelled = first->error == asio::error::operation_aborted;
    if (!was_cancelled) {
      EXPECT_FALSE(first->error);
      EXPECT_EQ(first->bytes, message.size());
      break;
    }
    EXPECT_EQ(first->bytes, 0U);
    ends.server.async_read_some(asio::buffer(buffer), into(second));
    run();
    ASSERT_TRUE(second && !second->error) << second->error.message();
    EXPECT_EQ(std::string(buffer.data(), second->bytes), message);
    ASSERT_LT(steps, 1000U);
  }
  EXPECT_FALSE(was_cancelled);
}

TEST_F(TlsStreamTest, AReadThatWaitsBehindAShutdownCanBeCancelled) {
  Ends ends = connected();
  Answer shutdown;
  ends.server.async_shutdown(into(shutdown));
  poll();
  char byte;
  asio::cancellation_signal signal;
  std::optional<SizedAnswer> read;
  ends.server.async_read_some(asio::buffer(&byte, 1),
                              asio::bind_cancellation_slot(signal.slot(), into(read)));
  poll();
  EXPECT_FALSE(read);
  signal.emit(asio::cancellation_type::total);
  poll();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, asio::error::operation_aborted);
  EXPECT_FALSE(shutdown);
  ends.client.next_layer().close();
  run();
  EXPECT_EQ(shutdown, error_code()) << "nothing is lost by a peer that just goes";
}

TEST_F(TlsStreamTest, AHandshakeCanBeCancelledForGood) {
  Ends ends = connect();
  asio::cancellation_signal signal;
  Answer server;
  ends.server.async_handshake(asio::bind_cancellation_slot(signal.slot(), into(server)));
  poll();
  EXPECT_FALSE(server);
  signal.emit(asio::cancellation_type::terminal);
  run();
  EXPECT_EQ(server, error_code(asio::error::operation_aborted));
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

TEST_F(TlsStreamTest, BeastReadsAndWritesHttpOverIt) {
  Ends ends = connected({.chunk = 13});
  http::request<http::string_body> request(http::verb::post, "/path", 11, "a body");
  request.prepare_payload();
  std::optional<SizedAnswer> written, read;
  http::async_write(ends.client, request, into(written));
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> received;
  http::async_read(ends.server, buffer, received, into(read));
  run();
  ASSERT_TRUE(written && read);
  EXPECT_FALSE(written->error);
  EXPECT_FALSE(read->error) << read->error.message();
  EXPECT_EQ(received.target(), "/path");
  EXPECT_EQ(received.body(), "a body");

  // Where the stream ends without close_notify, no reader may take the message for complete.
  http::response<http::string_body> open_ended(http::status::ok, 11, "half of");
  http::response<http::string_body> cut;
  written.reset();
  read.reset();
  http::async_write(ends.server, open_ended, into(written));
  http::async_read(ends.client, buffer, cut, into(read));
  poll();
  ends.server.next_layer().close();
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, Errc::stream_truncated);
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
