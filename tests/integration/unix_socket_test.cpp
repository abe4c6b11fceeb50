// Servers that listen on Unix sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/middleware/access_log.hpp"
#include "livetls/web/server.hpp"
#include "support/captured_log.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Local = boost::asio::local::stream_protocol;

class UnixSocket : public testing::Test {
 protected:
  std::string address() const { return "unix:" + path_; }

  tcp::ServerOptions plain_options() const { return {.address = address(), .plain = true}; }

  static Task<void> say_hello(Connection& connection) {
    const std::string text = connection.is_unix() ? "hello" : "who is there?";
    co_await connection.write(text);
  }

  /// What the server says to somebody who says `text`.
  std::string hear(const std::string& text = {}) const {
    boost::asio::io_context io;
    Local::socket socket(io);
    socket.connect(path_);
    std::string heard;
    boost::system::error_code end;
    boost::asio::write(socket, boost::asio::buffer(text), end);  // whom it does not want, it leaves
    boost::asio::read(socket, boost::asio::dynamic_buffer(heard), end);
    return heard;
  }

  test::TemporaryDirectory directory_;
  const std::string path_ = (directory_ / "server.sock").string();
  test::RunningRuntime runtime_;
};

TEST_F(UnixSocket, ServesTlsOverARotation) {
  const test::TestCa ca;
  const auto manager = CertManager::create(ca.issue("first")).value();
  const test::CapturedLog log;
  web::Router router;
  router.use(web::access_log());
  router.get("/", [] { return "hello"; });
  web::Server server(runtime_, manager, router, {.address = address()});
  const auto ask = [&] {
    return test::run(test::curl(ca.root_file(), "https://localhost/",
                                {"--verbose", "--unix-socket", path_}))
        .output;
  };
  for (const char* name : {"first", "second"}) {
    ASSERT_TRUE(manager->update(ca.issue(name)));
    const std::string output = ask();
    EXPECT_THAT(output, HasSubstr("hello"));
    EXPECT_THAT(output, HasSubstr(name));
  }
  EXPECT_THAT(log.text(), HasSubstr("unix: - - "));
}

TEST_F(UnixSocket, SharesItsConnectionsAmongThreads) {
  const tcp::Server server(runtime_, nullptr, say_hello, plain_options());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(hear(), "hello");
  EXPECT_EQ(server.counters().accepted, 50U);
  EXPECT_EQ(server.port(), 0);
}

TEST_F(UnixSocket, IsForThoseWhoAreAllowed) {
  const auto permissions = [&] { return fs::status(path_).permissions(); };
  {
    const tcp::Server server(runtime_, nullptr, say_hello, plain_options());
    EXPECT_EQ(permissions(), fs::perms(0600));
  }
  tcp::ServerOptions options = plain_options();
  options.unix_permissions = 0666;  // whatever the umask
  const tcp::Server server(runtime_, nullptr, say_hello, options);
  EXPECT_EQ(permissions(), fs::perms(0666));
}

TEST_F(UnixSocket, IsRemovedWithItsServerAndOnlyThen) {
  {
    const tcp::Server server(runtime_, nullptr, say_hello, plain_options());
    EXPECT_TRUE(fs::exists(path_));
    EXPECT_THROW(tcp::Server(runtime_, nullptr, say_hello, plain_options()),
                 boost::system::system_error)
        << "somebody listens there";
    EXPECT_EQ(hear(), "hello");
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(UnixSocket, OfAServerThatWasKilledIsReplaced) {
  {
    boost::asio::io_context io;
    const Local::acceptor killed(io, Local::endpoint(path_));
  }
  ASSERT_TRUE(fs::exists(path_));
  std::optional<tcp::Server> server;
  server.emplace(runtime_, nullptr, say_hello, plain_options());
  EXPECT_EQ(hear(), "hello");
  fs::remove(path_);
  boost::asio::io_context io;
  const Local::acceptor successor(io, Local::endpoint(path_));
  server.reset();
  EXPECT_TRUE(fs::exists(path_)) << "it is another's";
}

TEST_F(UnixSocket, DoesNotTakeThePlaceOfAFile) {
  directory_.write("server.sock", "precious");
  EXPECT_THROW(tcp::Server(runtime_, nullptr, say_hello, plain_options()),
               boost::system::system_error);
  EXPECT_EQ(fs::file_size(path_), 8U);
  EXPECT_THROW(tcp::Server(runtime_, nullptr, say_hello, {.address = "unix:", .plain = true}),
               std::invalid_argument);
  EXPECT_THROW(tcp::Server(runtime_, nullptr, say_hello, {.address = "no address", .plain = true}),
               std::invalid_argument);
}

TEST_F(UnixSocket, MayBeAProxys) {
  const auto tell = [](Connection& connection) -> Task<void> {
    const std::string text = connection.remote_endpoint().address().to_string();
    co_await connection.write(text);
  };
  const std::string header = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
  tcp::ServerOptions options = plain_options();
  options.proxies = {"unix:"};
  {
    const tcp::Server server(runtime_, nullptr, tell, options);
    EXPECT_EQ(hear(header), "192.0.2.1");
  }
  options.proxies = {"0.0.0.0/0", "::/0"};
  const tcp::Server server(runtime_, nullptr, tell, options);
  EXPECT_EQ(hear(header), "");
  EXPECT_EQ(server.counters().no_proxy, 1U);
}

}  // namespace
}  // namespace livetls
