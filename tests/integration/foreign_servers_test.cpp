// Outgoing connections, to servers of others that require a certificate.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>

#include "livetls/net/connector.hpp"
#include "support/eventually.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using testing::HasSubstr;
using testing::Not;

/// All of them listen on a Unix socket, and tell in their answer whom they see.
std::vector<std::string> command(const std::string& program, const std::string& directory) {
  const auto in = [&](const char* file) { return directory + "/" + file; };
  if (program == "openssl") {
    return {"openssl",      "s_server",    "-unix",        in("socket"), "-cert",
            in("cert.pem"), "-cert_chain", in("cert.pem"), "-key",       in("key.pem"),
            "-CAfile",      in("ca.pem"),  "-Verify",      "1",          "-verify_return_error",
            "-www",         "-quiet"};  // what it says, nobody reads: it would stop at a full pipe
  }
  if (program == "nginx") {
    return {"nginx", "-p", directory, "-e", "stderr", "-c", in("nginx.conf")};
  }
  return {"haproxy", "-db", "-f", in("haproxy.cfg")};
}

constexpr const char* kNginx = R"(
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen unix:socket ssl;
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    ssl_client_certificate ca.pem; ssl_verify_client on;
    location / { return 200 "$ssl_client_s_dn\n"; }
  }
})";

constexpr const char* kHaproxy = R"(
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
frontend f
  bind unix@DIRECTORY/socket ssl crt DIRECTORY/both.pem ca-file DIRECTORY/ca.pem verify required
  http-request return status 200 content-type text/plain lf-string "%[ssl_c_s_dn]\n"
)";

/// One that runs, with a certificate.
class ForeignServer {
 public:
  ForeignServer(const std::string& program, const Certificate& certificate,
                const std::string& client_roots) {
    const SecretBytes key = certificate.private_key().to_pem();
    const std::string key_pem(key.begin(), key.end());
    directory_.write("cert.pem", certificate.to_pem());
    directory_.write("key.pem", key_pem);
    directory_.write("both.pem", certificate.to_pem() + key_pem);
    directory_.write("ca.pem", client_roots);
    const std::string directory = directory_.path().string();
    const auto replaced = [&](std::string text, const std::string& what, const std::string& by) {
      for (std::size_t at = text.find(what); at != text.npos;
           at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
      }
      return text;
    };
    directory_.write("nginx.conf",
                     replaced(kNginx, "unix:socket", "unix:" + directory + "/socket"));
    directory_.write("haproxy.cfg", replaced(kHaproxy, "DIRECTORY", directory));
    process_.emplace(command(program, directory));
    if (!test::eventually([this] { return listens(); })) {
      throw std::runtime_error(program + " does not listen");
    }
  }

  Target target() const {
    Target target("unix:" + (directory_ / "socket").string());
    target.server_name = "localhost";
    return target;
  }

 private:
  bool listens() const {
    boost::asio::io_context io;
    boost::system::error_code error;
    boost::asio::local::stream_protocol::socket socket(io);
    socket.connect({(directory_ / "socket").string()}, error);
    return !error;
  }

  test::TemporaryDirectory directory_;
  std::optional<test::Subprocess> process_;
};

class ForeignServers : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!test::is_installed(GetParam())) GTEST_SKIP() << "there is no " << GetParam() << " here";
  }

  Task<Result<std::string>> get(Connector& connector, Target target) {
    auto made = co_await connector.connect(std::move(target));
    if (!made) co_return made.error();
    Connection& connection = **made;
    const auto sent = co_await connection.write("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    if (!sent) co_return sent.error();
    std::string answer;
    std::array<char, 4096> buffer;
    while (true) {
      const auto bytes = co_await connection.read_some(boost::asio::buffer(buffer));
      if (!bytes && answer.empty()) co_return bytes.error();
      if (!bytes || *bytes == 0) break;
      answer.append(buffer.data(), *bytes);
    }
    co_await connection.close();
    co_return answer;
  }

  Result<std::string> ask(Connector& connector, Target target) {
    return boost::asio::co_spawn(runtime_->executor(0), get(connector, std::move(target)),
                                 boost::asio::use_future)
        .get();
  }

  ForeignServer serving(const Certificate& certificate) const {
    std::ifstream file(ca_.root_file());
    return {GetParam(), certificate, std::string(std::istreambuf_iterator<char>(file), {})};
  }

  boost::system::error_code refusal(Connector& connector, const Target& target) {
    const auto answer = ask(connector, target);
    return answer ? boost::system::error_code() : answer.error().code;
  }

  const test::TestCa ca_;
  test::RunningRuntime runtime_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("client-1")).value();
};

TEST_P(ForeignServers, AreShownTheCertificateThatIsCurrentAtTheHandshake) {
  const ForeignServer server = serving(ca_.issue("server"));
  Connector connector(manager_, {.roots = ca_.roots()});
  const auto first = ask(connector, server.target());
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_THAT(*first, AllOf(HasSubstr("200"), HasSubstr("client-1")));
  ASSERT_TRUE(manager_->update(ca_.issue("client-2")));
  const auto second = ask(connector, server.target());
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_THAT(*second, AllOf(HasSubstr("client-2"), Not(HasSubstr("client-1"))));
}

TEST_P(ForeignServers, LetNobodyInWithoutOne) {
  const ForeignServer server = serving(ca_.issue("server"));
  Connector connector(nullptr, {.roots = ca_.roots()});
  const auto answer = ask(connector, server.target());
  if (answer) {
    EXPECT_THAT(*answer, HasSubstr("400"));  // nginx says so behind the handshake
  } else {
    EXPECT_THAT(answer.error().code,
                testing::AnyOf(testing::Eq(make_error_code(Errc::alert_received)),
                               testing::Eq(make_error_code(boost::asio::error::broken_pipe))))
        << answer.error().message();  // it may have closed before it was asked
  }
}

TEST_P(ForeignServers, AreRefusedEachWithItsOwnError) {
  const ForeignServer server = serving(ca_.issue("server"));
  Connector connector(manager_, {.roots = ca_.roots()});
  Target target = server.target();
  target.server_name = "other.example";
  EXPECT_EQ(refusal(connector, target), Errc::peer_name_mismatch);

  target = server.target();
  target.pins = {ca_.issue("another key").leaf().public_key_fingerprint};
  EXPECT_EQ(refusal(connector, target), Errc::peer_not_pinned);

  const test::TestCa other;
  Connector stranger(manager_, {.roots = other.roots()});
  EXPECT_EQ(refusal(stranger, server.target()), Errc::peer_untrusted) << "the wrong authority";

  const ForeignServer alone = serving(self_signed().value());
  EXPECT_EQ(refusal(connector, alone.target()), Errc::peer_untrusted) << "self-signed";

  const auto long_ago = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  const CertificateAuthority old =
      CertificateAuthority::create({.lifetime = std::chrono::years(20), .now = long_ago}).value();
  const ForeignServer expired = serving(old.issue({.now = long_ago}).value());
  Connector believing(manager_, {.roots = old.trust_bundle()});
  EXPECT_EQ(refusal(believing, expired.target()), Errc::peer_expired);
}

INSTANTIATE_TEST_SUITE_P(All, ForeignServers, testing::Values("openssl", "nginx", "haproxy"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace livetls
