#pragma once

// What the tests of TlsStream have in common.

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
#include <boost/beast/core/stream_traits.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <string>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_stream.hpp"
#include "support/memory_stream.hpp"

namespace livetls::test {

namespace asio = boost::asio;
using boost::system::error_code;
using Stream = TlsStream<MemoryStream>;

static_assert(boost::beast::is_async_stream<Stream>::value);

constexpr auto kPatience = std::chrono::seconds(10);  // for what would otherwise hang

/// The answer of one asynchronous operation. Not yet given: the optional is empty.
using Answer = std::optional<error_code>;

struct SizedAnswer {
  error_code error;
  std::size_t bytes;
};

inline auto into(Answer& answer) {
  return [&answer](error_code error) {
    EXPECT_FALSE(answer) << "a handler was called twice";
    answer = error;
  };
}

inline auto into(std::optional<SizedAnswer>& answer) {
  return [&answer](error_code error, std::size_t bytes) {
    EXPECT_FALSE(answer) << "a handler was called twice";
    answer = {error, bytes};
  };
}

/// What a peer does from handshake to shutdown. Throws where an operation fails.
inline Task<void> say_hello_and_read_the_echo(Stream& stream, std::string message) {
  co_await stream.async_handshake(use_task);
  co_await asio::async_write(stream, asio::buffer(message), use_task);
  std::string echo(message.size(), '\0');
  co_await asio::async_read(stream, asio::buffer(echo), use_task);
  EXPECT_EQ(echo, message);
  co_await stream.async_shutdown(use_task);
}

inline Task<void> echo_until_end(Stream& stream) {
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

inline Task<void> write_all(Stream& stream, const std::string& data) {
  co_await asio::async_write(stream, asio::buffer(data), use_task);
}

inline Task<void> read_all(Stream& stream, std::string& data) {
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

}  // namespace livetls::test
