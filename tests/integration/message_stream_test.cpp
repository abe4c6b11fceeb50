#include "livetls/tcp/message_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <optional>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls::tcp {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::eventually;
using test::PlainClient;

constexpr auto kShort = 100ms;

class Messages : public testing::Test {
 protected:
  ~Messages() override {
    if (!server_) return;
    EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }))
        << "a connection is left over";
  }

  /// Sends every message back.
  Server::Handler echo(Framing framing, MessageOptions options = {}) {
    return [=, this](Connection& connection) -> Task<void> {
      MessageStream messages(connection, framing, options);
      bool open = true;
      while (open) {
        const auto message = co_await messages.read();
        if (!message) note(message.error().code);
        open = message && *message;
        if (!open) break;
        ++received_;
        const auto sent = co_await messages.write((*message)->payload, (*message)->header);
        open = sent.has_value();
        if (!open) note(sent.error().code);
      }
    };
  }

  void start(Framing framing, MessageOptions options = {}) {
    server_.emplace(runtime_, nullptr, echo(framing, options), ServerOptions{.plain = true});
  }

  PlainClient connect() { return test::plain_client(server_->port()); }

  void note(boost::system::error_code error) {
    const std::scoped_lock lock(mutex_);
    error_ = error;
  }

  boost::system::error_code error() {
    const std::scoped_lock lock(mutex_);
    return error_;
  }

  /// What the server found wrong with a stream that is all the client says.
  boost::system::error_code error_of(const std::string& stream) {
    note({});
    PlainClient client = connect();
    client.send(stream);
    client.finish_sending();
    EXPECT_EQ(client.end(), boost::asio::error::eof);
    EXPECT_TRUE(eventually([&] { return server_->counters().open_connections == 0; }));
    return error();
  }

  std::mutex mutex_;
  boost::system::error_code error_;
  std::atomic<int> received_ = 0;
  test::RunningRuntime runtime_;
  std::optional<Server> server_;
};

TEST_F(Messages, AreReadHoweverTheyArrive) {
  start(LengthField{.bytes = 2});
  PlainClient client = connect();
  const std::string two = "\0\3abc\0\1d"s;
  for (const char byte : two) client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.read(two.size()), two);
  client.send(two + two + two);
  EXPECT_EQ(client.read(3 * two.size()), two + two + two);
  client.finish_sending();
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  EXPECT_EQ(received_, 8);
  EXPECT_EQ(error(), boost::system::error_code());
}

TEST_F(Messages, MayBeLargeAndMany) {
  start(LengthField{.bytes = 4, .max_bytes = 3'000'000});
  PlainClient client = connect();
  const std::string large = "\0\x20\0\0"s + std::string(0x200000, 'x');
  client.send(large);
  EXPECT_EQ(client.read(large.size()), large);
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "\0\0\0\1x"s;
  client.send(many);
  EXPECT_EQ(client.read(many.size()), many);
}

TEST_F(Messages, AreLinesWithWhateverEndsThem) {
  start(Delimiter{.text = "\r\n", .max_bytes = 5});
  PlainClient client = connect();
  client.send("one\r\n\r\ntwo\r\n");
  EXPECT_EQ(client.read(12), "one\r\n\r\ntwo\r\n");
  client.vanish();
}

TEST_F(Messages, KeepTheRestOfTheirHeader) {
  start(LengthField{.bytes = 1, .position = 2, .header_bytes = 4, .counts_header = true});
  PlainClient client = connect();
  client.send("kw\6xab");
  EXPECT_EQ(client.read(6), "kw\6xab");
  client.vanish();
}

TEST_F(Messages, ThatAreMalformedEndTheConnectionWithAReason) {
  start(LengthField{.bytes = 2, .counts_header = true, .max_bytes = 10});
  EXPECT_EQ(error_of("\0\0"s), FramingErrc::message_too_short);
  EXPECT_EQ(error_of("\0\2"s), FramingErrc::empty_message);
  EXPECT_EQ(error_of("\1\0"s), FramingErrc::message_too_large);
  EXPECT_EQ(error_of("\0\5a"s), FramingErrc::message_truncated);
  EXPECT_EQ(error_of("\0\3a"s), boost::system::error_code());
}

TEST_F(Messages, MustComeInTime) {
  start(LengthField{.bytes = 2}, {.idle_timeout = 1h, .message_timeout = kShort});
  PlainClient client = connect();
  client.send("\0\3a"s);
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  EXPECT_EQ(error(), boost::asio::error::timed_out);
}

TEST_F(Messages, AreWaitedForNoLongerThanAllowed) {
  start(LengthField{.bytes = 2}, {.idle_timeout = kShort});
  PlainClient client = connect();
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  EXPECT_EQ(error(), boost::asio::error::timed_out);
}

TEST_F(Messages, MustBeTakenInTime) {
  start(LengthField{.max_bytes = 1 << 24}, {.write_timeout = kShort});
  PlainClient client = connect();
  const std::string large = "\1\0\0\0"s + std::string(1 << 24, 'x');
  EXPECT_THROW(
      {
        client.send(large);
        client.send(large);  // who reads nothing
        client.send(large);
      },
      boost::system::system_error);
  EXPECT_TRUE(eventually([&] { return error() == boost::asio::error::timed_out; }));
}

TEST_F(Messages, EndBetweenTwoWhenTheServerStops) {
  start(LengthField{.bytes = 2});
  PlainClient client = connect();
  client.send("\0\2a"s);
  ASSERT_TRUE(eventually([&] { return server_->counters().open_connections == 1; }));
  client.send("b\0"s);  // the next has begun
  EXPECT_EQ(client.read(4), "\0\2ab"s);
  auto stopped = std::async(std::launch::async, [&] { server_.reset(); });
  client.send("\1c"s);
  EXPECT_EQ(client.read(3), "\0\1c"s);
  EXPECT_EQ(client.end(), boost::asio::error::eof);
  stopped.get();
  EXPECT_EQ(error(), boost::asio::error::operation_aborted);
}

TEST_F(Messages, GoOnOverTlsWhenTheCertificateChanges) {
  const test::TestCa ca;
  const auto manager = CertManager::create(ca.issue("first")).value();
  const Server server(runtime_, manager, echo(LengthField{.bytes = 2}));
  const auto connect_with_tls = [&] {
    return test::https_client(server.port(), {.roots = ca.roots()});
  };
  auto before = connect_with_tls();
  const std::string message = "\0\5hello"s;
  before.send(message);
  EXPECT_EQ(before.read(message.size()), message);
  ASSERT_TRUE(manager->update(ca.issue("second")));
  auto after = connect_with_tls();
  for (auto* client : {&before, &after}) {
    client->send(message);
    EXPECT_EQ(client->read(message.size()), message);
  }
  EXPECT_THAT(before.stream().tls().peer_certificate()->subject, testing::HasSubstr("first"));
  EXPECT_THAT(after.stream().tls().peer_certificate()->subject, testing::HasSubstr("second"));
}

}  // namespace
}  // namespace livetls::tcp
