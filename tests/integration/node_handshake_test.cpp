// What happens between TLS's handshake and the node's, with a caller who is in no hurry.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <mutex>
#include <optional>

#include "frame.hpp"
#include "handshake.hpp"
#include "livetls/net/connector.hpp"
#include "livetls/node/node.hpp"
#include "livetls/tcp/message_stream.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls::node {
namespace {

using namespace std::chrono_literals;
using test::eventually;

constexpr std::string_view kCookie = "secret";

/// The caller's side of the node handshake, step by step.
class NodeHandshakeTest : public testing::Test {
 protected:
  using Framing = tcp::LengthField;

  CertSet set_of(const std::string& organization) const {
    return {
        .default_identity = Identity(ca_.issue(organization)).with(ClientAuth::require_and_verify),
        .client_roots = ca_.roots()};
  }

  template <class T>
  T wait(Task<T> task) {
    return boost::asio::co_spawn(runtime_->executor(0), std::move(task), boost::asio::use_future)
        .get();
  }

  std::unique_ptr<Connection> connect() {
    return wait(connector_.connect({"localhost", node_.ports()[0]})).value();
  }

  Task<Result<std::string>> read(tcp::MessageStream& messages) {
    const auto message = co_await messages.read();
    if (!message) co_return message.error();
    if (!*message) co_return Error(boost::asio::error::eof);
    co_return std::string((*message)->payload);
  }

  static Hello hello(std::size_t max_payload = 1000) {
    Hello hello{.generation = 1,
                .max_payload = static_cast<std::uint32_t>(max_payload),
                .name = "caller@localhost"};
    hello.nonce.fill(7);
    return hello;
  }

  static std::span<const std::uint8_t> cookie() {
    return {reinterpret_cast<const std::uint8_t*>(kCookie.data()), kCookie.size()};
  }

  /// The verdict on a handshake over `connection` whose proof is bound to `bound_to`.
  Task<Result<std::string>> shake_hands(Connection& connection, Connection& bound_to,
                                        std::size_t max_payload = 1000) {
    tcp::MessageStream messages(connection, Framing{.bytes = 4});
    const std::string ours = to_bytes(hello(max_payload));
    auto sent = co_await messages.write(ours);
    if (!sent) co_return sent.error();
    const auto theirs = co_await read(messages);
    if (!theirs) co_return theirs.error();
    sent = co_await messages.write(
        prove(cookie(), Role::dialler, bound_to.channel_binding(), ours, *theirs));
    if (!sent) co_return sent.error();
    const auto verdict = co_await read(messages);
    if (!verdict) co_return verdict.error();
    co_return parse_verdict(*verdict);
  }

  static Task<void> write(Connection& connection, std::string_view bytes) {
    tcp::MessageStream messages(connection, frame_framing(1000));
    co_await messages.write_framed(bytes);
  }

  Task<int> count(FrameKind kind, Connection& connection, int expected) {
    tcp::MessageStream messages(connection, frame_framing(kLarge));
    int found = 0;
    while (found < expected) {
      const auto bytes = co_await read(messages);
      if (!bytes) co_return found;
      const auto frame = parse_frame(*bytes);
      if (frame && frame->kind == kind) ++found;
    }
    co_return found;
  }

  static constexpr std::size_t kLarge = 1024 * 1024;

  /// A node that answers "large" with as much, and has worked off what was sent it, while nothing
  /// of its answers was read.
  struct Generous {
    Generous(NodeHandshakeTest& test, std::string frames) {
      NodeOptions options{
          .cert_manager = test.manager_, .acceptors = {{}}, .cookie = std::string(kCookie)};
      options.services.requests["large"] = [this](Message) -> Task<Result<Payload>> {
        ++made;
        co_return Payload(std::string(kLarge, 'x'));
      };
      options.services.events["large"] = [this](Message, EventWriter& out) -> Task<void> {
        bool goes_on = true;
        while (goes_on) {
          const auto written = co_await out.write(std::string(kLarge, 'x'));
          goes_on = written.has_value();
          if (goes_on) ++made;
        }
      };
      options.services.messages["note"] = [this](Message) -> Task<void> {
        ++noted;
        co_return;
      };
      node.emplace(test.runtime_, "generous@localhost", std::move(options));
      auto& connector = test.connector_;
      connection = test.wait(connector.connect({"localhost", node->ports()[0]})).value();
      EXPECT_TRUE(test.wait(test.shake_hands(*connection, *connection, kLarge)));
      test.wait(write(*connection, frames));
      std::string note;
      append(Frame{.kind = FrameKind::message, .stream = 1, .service = "note"}, note);
      for (int sent = 1; sent <= 100; ++sent) {  // while each comes round, an event could be made
        test.wait(write(*connection, note));
        EXPECT_TRUE(eventually([&] { return noted == sent; })) << "other streams go on";
      }
    }
    ~Generous() { connection->cut(); }

    std::atomic<int> made = 0;
    std::atomic<int> noted = 0;
    std::unique_ptr<Connection> connection;
    std::optional<Node> node;
  };

  /// Why a link goes down on which these frames come behind a message that is never done.
  Error error_after(const std::string& frames) {
    test::Gate gate;
    std::mutex mutex;
    Error reason;
    NodeOptions options{
        .cert_manager = manager_, .acceptors = {{}}, .cookie = std::string(kCookie)};
    options.services.messages["block"] = [&](Message) -> Task<void> { co_await gate.pass(); };
    options.on_link = [&](const LinkEvent& event) {
      const std::scoped_lock lock(mutex);
      if (!event.is_up) reason = event.reason;
    };
    Node node(runtime_, "blocked@localhost", std::move(options));
    const auto connection = wait(connector_.connect({"localhost", node.ports()[0]})).value();
    EXPECT_TRUE(wait(shake_hands(*connection, *connection)));
    std::string bytes;
    append(Frame{.kind = FrameKind::message, .service = "block"}, bytes);
    wait(write(*connection, bytes + frames));
    EXPECT_TRUE(eventually([&] {
      const std::scoped_lock lock(mutex);
      return static_cast<bool>(reason.code);
    }));
    connection->cut();
    gate.open();
    const std::scoped_lock lock(mutex);
    return reason;
  }

  const test::TestCa ca_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(set_of("first")).value();
  test::RunningRuntime runtime_;
  Node node_{runtime_,
             "node@localhost",
             {.cert_manager = manager_,
              .acceptors = {{.handshake_timeout = 10s}},
              .cookie = std::string(kCookie)}};
  Connector connector_{manager_, {.roots_of_manager = true, .channel_binding = true}};
};

TEST_F(NodeHandshakeTest, ARotationBetweenTheTwoHandshakesHarmsNothing) {
  const auto connection = connect();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(manager_->update(set_of("next" + std::to_string(i))));
  const auto verdict = wait(shake_hands(*connection, *connection));
  EXPECT_TRUE(verdict) << verdict.error().message();
  ASSERT_EQ(node_.peers().size(), 1U);
  EXPECT_EQ(node_.peers()[0].our_generation, 1U);
  wait(connection->close());
}

TEST_F(NodeHandshakeTest, AProofOfAnotherConnectionIsNone) {
  const auto connection = connect();
  const auto another = connect();
  const auto verdict = wait(shake_hands(*connection, *another));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, NodeErrc::wrong_cookie);
  EXPECT_EQ(node_.counters().links, 0U);
  EXPECT_TRUE(eventually([&] { return node_.counters().refused == 1; }));
  wait(another->close());
  wait(connection->close());
}

TEST_F(NodeHandshakeTest, SilentPeersKeepNobodyOut) {
  std::vector<std::unique_ptr<Connection>> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(connect());
  const auto connection = connect();
  EXPECT_TRUE(wait(shake_hands(*connection, *connection)));
  EXPECT_TRUE(eventually([&] { return node_.counters().accepted == 1; }));
  for (auto& peer : silent) peer->cut();
  EXPECT_TRUE(eventually([&] { return node_.counters().refused == 50; }));
  wait(connection->close());
}

TEST_F(NodeHandshakeTest, WhoSaysAnythingElseIsRefusedAndHarmsNobody) {
  const auto say = [this](std::string text) -> Task<Result<std::string>> {
    Target target("localhost", node_.ports()[0]);
    auto made = co_await connector_.connect(std::move(target));
    tcp::MessageStream messages(**made, Framing{.bytes = 4});
    auto sent = co_await messages.write(text);
    if (!sent) co_return sent.error();
    const auto answer = co_await read(messages);
    co_await (*made)->close();
    co_return answer;
  };
  EXPECT_FALSE(wait(say("GET / HTTP/1.1")));
  EXPECT_FALSE(wait(say(std::string(kMaxHandshakeBytes + 1, 'x'))));
  EXPECT_FALSE(wait(say(to_bytes(hello()).substr(0, 40))));
  EXPECT_TRUE(eventually([&] { return node_.counters().refused == 3; }));
  const auto connection = connect();
  EXPECT_TRUE(wait(shake_hands(*connection, *connection)));
  wait(connection->close());
}

TEST_F(NodeHandshakeTest, ASilentLinkIsDown) {
  std::mutex mutex;
  std::string reason;
  Node impatient(runtime_, "impatient@localhost",
                 {.cert_manager = manager_,
                  .acceptors = {{}},
                  .cookie = std::string(kCookie),
                  .heartbeat = 20ms,
                  .on_link = [&](const LinkEvent& event) {
                    const std::scoped_lock lock(mutex);
                    if (!event.is_up) reason = event.reason.message();
                  }});
  const auto connection = wait(connector_.connect({"localhost", impatient.ports()[0]})).value();
  ASSERT_TRUE(connection);
  ASSERT_TRUE(wait(shake_hands(*connection, *connection)));
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return !reason.empty();
  }));
  EXPECT_EQ(reason, Error(boost::asio::error::timed_out).message());
  connection->cut();
}

TEST_F(NodeHandshakeTest, NoRequestIsBegunWhileThePeerReadsNoReplies) {
  constexpr int kRequests = 200;
  std::string frames;
  for (std::uint64_t id = 1; id <= kRequests; ++id) {
    append(Frame{.kind = FrameKind::request, .id = id, .service = "large"}, frames);
  }
  const Generous node(*this, frames);
  EXPECT_LT(node.made, kRequests / 2);
  EXPECT_EQ(wait(count(FrameKind::reply, *node.connection, kRequests)), kRequests);
}

TEST_F(NodeHandshakeTest, NoEventIsWrittenWhileThePeerReadsNone) {
  std::string frames;
  append(Frame{.kind = FrameKind::subscribe, .id = 1, .service = "large"}, frames);
  const Generous node(*this, frames);
  EXPECT_LT(node.made, 40) << "there would be room for 64 by their number";
  EXPECT_EQ(wait(count(FrameKind::event, *node.connection, 64)), 64);
}

TEST_F(NodeHandshakeTest, WhoSendsMoreThanThereIsRoomForIsCutOff) {
  std::string messages;
  for (int i = 0; i < 30; ++i) {
    append(Frame{.kind = FrameKind::message, .payload = std::string(100'000, 'x')}, messages);
  }
  EXPECT_EQ(error_after(messages).code, NodeErrc::protocol_violation);
  std::string ends;  // of subscriptions there never were
  for (int i = 0; i < 20'000; ++i) append(Frame{.kind = FrameKind::unsubscribe}, ends);
  EXPECT_EQ(error_after(ends).code, NodeErrc::protocol_violation);
}

}  // namespace
}  // namespace livetls::node
