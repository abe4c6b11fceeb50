// Outgoing connections, to servers of ours and to openssl's.

#include "livetls/net/connector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_future.hpp>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/tcp/server.hpp"
#include "support/captured_log.hpp"
#include "support/deaf.hpp"
#include "support/running_runtime.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Made = Result<std::unique_ptr<Connection>>;

/// Who says whom it sees, and ends with the client.
Task<void> tell_who_it_is(Connection& connection) {
  const auto peer = connection.peer_certificate();
  const std::string text =
      (peer && connection.peer_is_verified() ? peer->subject : "nobody") + "\n";
  const auto sent = co_await connection.write(text);
  if (!sent) co_return;
  char byte;
  co_await connection.read_some(boost::asio::buffer(&byte, 1));
}

/// A line that was read on a connection that was made, and what was seen of it.
struct Answer {
  Error error;
  std::string line;
  std::string server;  // its subject
  bool resumed = false;
};

class ConnectorTest : public testing::Test {
 protected:
  Task<Answer> ask(Connector& connector, Target target) {
    Answer answer;
    auto made = co_await connector.connect(std::move(target));
    if (!made) {
      answer.error = made.error();
      co_return answer;
    }
    Connection& connection = **made;
    while (!answer.line.ends_with('\n')) {
      char byte;
      const auto read = co_await connection.read_some(boost::asio::buffer(&byte, 1));
      if (!read) answer.error = read.error();
      if (!read || *read == 0) break;
      answer.line += byte;
    }
    if (const auto peer = connection.peer_certificate()) answer.server = peer->subject;
    answer.resumed = connection.resumed();
    co_await connection.close();
    co_return answer;
  }

  Answer ask_now(Connector& connector, Target target) {
    return boost::asio::co_spawn(runtime_->executor(0), ask(connector, std::move(target)),
                                 boost::asio::use_future)
        .get();
  }

  Target here() const { return {"localhost", server_.port()}; }

  CertSet set_that_asks() const {
    return {.default_identity = Identity(ca_.issue("server")).with(ClientAuth::verify_if_given),
            .client_roots = ca_.roots()};
  }

  const test::TestCa ca_;
  const test::CapturedLog log_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(set_that_asks()).value();
  const std::shared_ptr<CertManager> ours_ = CertManager::create(ca_.issue("client 1")).value();
  test::RunningRuntime runtime_;
  const tcp::Server server_{runtime_, manager_, tell_who_it_is};
};

TEST_F(ConnectorTest, VerifiesTheServer) {
  Connector connector(nullptr, {.roots = ca_.roots()});
  const Answer answer = ask_now(connector, here());
  EXPECT_EQ(answer.error.message(), Error().message());
  EXPECT_EQ(answer.line, "nobody\n");
  EXPECT_THAT(answer.server, HasSubstr("O=server"));
}

TEST_F(ConnectorTest, RefusesEachWithItsOwnError) {
  Connector connector(nullptr, {.roots = ca_.roots()});
  Target target = here();
  target.server_name = "other.example";
  const Error wrong_name = ask_now(connector, target).error;
  EXPECT_EQ(wrong_name.code, Errc::peer_name_mismatch);
  EXPECT_THAT(wrong_name.context, HasSubstr("localhost:"));

  const test::TestCa other;
  Connector stranger(nullptr, {.roots = other.roots()});
  const Error error = ask_now(stranger, here()).error;
  EXPECT_EQ(error.code, Errc::peer_untrusted);
  EXPECT_THAT(error.context, HasSubstr("is neither sent nor trusted")) << "why, for operators";

  target = here();
  target.pins = {ca_.issue("another key").leaf().public_key_fingerprint};
  EXPECT_EQ(ask_now(connector, target).error.code, Errc::peer_not_pinned);
  target.pins.push_back(manager_->certificate().leaf().public_key_fingerprint);
  EXPECT_EQ(ask_now(connector, target).line, "nobody\n");

  target.server_name = "no name";
  EXPECT_EQ(ask_now(connector, target).error.code, Errc::invalid_server_name);
}

TEST_F(ConnectorTest, ShowsTheCertificateThatIsCurrentAtTheHandshake) {
  Connector connector(ours_, {.roots = ca_.roots()});
  EXPECT_THAT(ask_now(connector, here()).line, HasSubstr("O=client 1"));
  ASSERT_TRUE(ours_->update(ca_.issue("client 2")));
  EXPECT_THAT(ask_now(connector, here()).line, HasSubstr("O=client 2"));
}

TEST_F(ConnectorTest, BelievesWhomTheManagerBelievesAtTheHandshake) {
  const test::TestCa next;
  const auto set_of = [](const test::TestCa& ca) {
    return CertSet{.default_identity = Identity(ca.issue("us")).with(ClientAuth::verify_if_given),
                   .client_roots = ca.roots()};
  };
  const auto ours = CertManager::create(set_of(ca_)).value();
  Connector connector(ours, {.roots_of_manager = true});
  EXPECT_THAT(ask_now(connector, here()).line, HasSubstr("O=us"));
  ASSERT_TRUE(ours->update(set_of(next)));
  EXPECT_EQ(ask_now(connector, here()).error.code, Errc::peer_untrusted);
  ASSERT_TRUE(manager_->update(set_of(next)));
  EXPECT_THAT(ask_now(connector, here()).line, HasSubstr("O=us"));

  ASSERT_TRUE(ours->update(CertSet{.default_identity = Identity(next.issue("us"))}));
  EXPECT_EQ(ask_now(connector, here()).error.code, Errc::no_client_roots) << "not the system's";
  EXPECT_THROW(Connector(nullptr, {.roots_of_manager = true}), std::invalid_argument);
}

TEST_F(ConnectorTest, ResumesWithTheSameServerUnderTheSameCertificate) {
  const auto manager =
      CertManager::create(ca_.issue("server")).value();  // who asks gives no tickets
  const tcp::Server server(runtime_, manager, tell_who_it_is);
  const Target target("localhost", server.port());
  Connector connector(ours_, {.roots = ca_.roots()});
  EXPECT_FALSE(ask_now(connector, target).resumed);
  EXPECT_TRUE(ask_now(connector, target).resumed);
  Target by_address = target;
  by_address.host = "127.0.0.1";
  EXPECT_FALSE(ask_now(connector, by_address).resumed);
  Target pinned = target;
  pinned.pins = {manager->certificate().leaf().public_key_fingerprint};
  EXPECT_FALSE(ask_now(connector, pinned).resumed);
  EXPECT_TRUE(ask_now(connector, target).resumed);
  ASSERT_TRUE(ours_->update(ca_.issue("client 2")));
  EXPECT_FALSE(ask_now(connector, target).resumed);
  Connector fresh(ours_, {.roots = ca_.roots(), .resume = false});
  ask_now(fresh, target);
  EXPECT_FALSE(ask_now(fresh, target).resumed);
}

TEST_F(ConnectorTest, MaySkipVerificationAndSaysSo) {
  const test::TestCa other;
  Connector connector(nullptr, {.roots = other.roots()});
  Target target = here();
  target.insecure_skip_verify = true;
  EXPECT_EQ(ask_now(connector, target).line, "nobody\n");
  EXPECT_THAT(log_.text(), HasSubstr("without verifying"));
  EXPECT_EQ(ask_now(connector, here()).error.code, Errc::peer_untrusted) << "one is not all";
  target.pins = {other.issue("x").leaf().public_key_fingerprint};
  EXPECT_EQ(ask_now(connector, target).error.code, Errc::peer_not_pinned);

  Connector careless(nullptr, {.insecure_skip_verify = true});
  EXPECT_EQ(ask_now(careless, here()).line, "nobody\n");
}

TEST_F(ConnectorTest, TriesAllAddressesOfAName) {
  const tcp::Server v4(runtime_, manager_, tell_who_it_is, {.address = "127.0.0.1"});
  Connector connector(nullptr, {.roots = ca_.roots()});
  Target target("localhost", v4.port());
  EXPECT_EQ(ask_now(connector, target).line, "nobody\n") << "::1 refuses, where there is one";
  EXPECT_NE(ask_now(connector, {"nowhere.invalid", 1}).error.code, boost::system::error_code());
}

TEST_F(ConnectorTest, SpeaksPlainAndOverUnixSockets) {
  const test::TemporaryDirectory directory;
  const std::string address = "unix:" + (directory / "socket").string();
  const tcp::Server plain(runtime_, nullptr, tell_who_it_is, {.address = address, .plain = true});
  Connector connector(nullptr, {.plain = true});
  EXPECT_EQ(ask_now(connector, {address}).line, "nobody\n");
}

/// As docs/tcp.md shows it. AddressSanitizer sees what g++ 12 makes of an aggregate there.
Task<boost::system::error_code> connect_as_documented(Connector& connector, std::uint16_t port) {
  auto connection =
      co_await connector.connect({"a-name-that-is-too-long-to-be-kept-in-place.invalid", port});
  co_return connection.error().code;
}

TEST_F(ConnectorTest, TakesATargetThatIsMadeInTheAwaitedCall) {
  Connector connector(nullptr, {.roots = ca_.roots()});
  auto task = connect_as_documented(connector, 1);
  const auto error =
      boost::asio::co_spawn(runtime_->executor(0), std::move(task), boost::asio::use_future).get();
  EXPECT_TRUE(error.failed());
}

TEST_F(ConnectorTest, GivesUpInTime) {
  const test::Deaf deaf;
  Connector connector(nullptr, {.roots = ca_.roots(), .connect_timeout = 50ms});
  const Answer answer = ask_now(connector, {"127.0.0.1", deaf.port()});
  EXPECT_EQ(answer.error.code, boost::asio::error::timed_out);

  const tcp::Server silent(runtime_, nullptr,
                           [](Connection& connection) -> Task<void> {
                             char byte;
                             bool open = true;
                             while (open) {
                               const auto read =
                                   co_await connection.read_some(boost::asio::buffer(&byte, 1));
                               open = read && *read > 0;
                             }
                           },
                           {.plain = true});
  Connector impatient(nullptr, {.roots = ca_.roots(), .handshake_timeout = 50ms});
  const Answer late = ask_now(impatient, {"localhost", silent.port()});
  EXPECT_EQ(late.error.code, Errc::handshake_timeout);
}

}  // namespace
}  // namespace livetls
