// Clients that are not ours at a web server whose certificates change: each request on a fresh
// connection, without resumption.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <regex>
#include <set>
#include <thread>

#include "livetls/net/connection.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/server.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/subprocess.hpp"
#include "support/test_ca.hpp"

namespace livetls::web {
namespace {

using test::Subprocess;
using testing::HasSubstr;
using testing::Not;

/// Asks "/" and says "<status> <organisation> <body>".
class Client {
 public:
  virtual ~Client() = default;
  virtual std::string ask() = 0;
};

class Curl final : public Client {
 public:
  Curl(const std::string& root_file, const std::string& url)
      : command_(test::curl(root_file, url, {"--verbose"})) {}

  std::string ask() override {
    const std::string output = test::run(command_).output;
    const auto found = [&output](const char* expression) {
      std::smatch match;
      return std::regex_search(output, match, std::regex(expression)) ? match.str(1) : output;
    };
    return found("< HTTP/1.1 (\\d+)") + " " + found("subject: O=(\\w+)") + " " + found("\n(hello)");
  }

 private:
  std::vector<std::string> command_;
};

/// A program that asks for every line of its input.
class Script final : public Client {
 public:
  explicit Script(std::vector<std::string> command) : process_(std::move(command)) {}

  std::string ask() override {
    process_.write("\n");
    std::string answer = process_.read_until("\n");
    answer.pop_back();
    return answer;
  }

 private:
  Subprocess process_;
};

constexpr const char* kPython = R"(
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
for line in sys.stdin:
    connection = http.client.HTTPSConnection('localhost', int(sys.argv[2]), context=context, timeout=20)
    connection.request('GET', '/')
    subject = dict(part[0] for part in connection.sock.getpeercert()['subject'])
    response = connection.getresponse()
    print(response.status, subject['organizationName'], response.read().decode(), flush=True)
    connection.close()
)";

constexpr const char* kNode = R"(
const [root, port] = process.argv.slice(1);
const ca = require('fs').readFileSync(root);
require('readline').createInterface({input: process.stdin}).on('line', () => {
  const request = require('https').get({host: 'localhost', port, ca, agent: false}, response => {
    const {O} = response.socket.getPeerCertificate().subject;
    let body = '';
    response.on('data', piece => body += piece);
    response.on('end', () => console.log(`${response.statusCode} ${O} ${body}`));
  });
  request.on('error', error => console.log(`failed: ${error.message}`));
});
)";

class WebClients : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<Client> make_client() const {
    const std::string port = std::to_string(server_.port());
    const std::string program = GetParam();
    if (program == "curl") {
      return std::make_unique<Curl>(ca_.root_file(), "https://localhost:" + port + "/");
    }
    const bool python = program == "python3";
    return std::make_unique<Script>(std::vector<std::string>{
        program, python ? "-c" : "-e", python ? kPython : kNode, ca_.root_file(), port});
  }

  Router routes() {
    Router router;
    router.get("/", [this](Request& request) {
      const std::scoped_lock lock(mutex_);
      served_.insert(request.connection().generation());
      return "hello";
    });
    return router;
  }

  std::size_t generations_served() {
    const std::scoped_lock lock(mutex_);
    return served_.size();
  }

  std::mutex mutex_;
  std::set<std::uint64_t> served_;
  const test::TestCa ca_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("0")).value();
  test::RunningRuntime runtime_;
  Server server_{runtime_, manager_, routes()};
};

/// Publishes one certificate after the other, as fast as it can, for as long as it lives. Each has
/// its number as its organisation, from 1.
class Rotating {
 public:
  Rotating(CertManager& manager, const test::TestCa& ca)
      : thread_([&manager, &ca, this] {
          for (std::uint64_t number = 1; !ended_; ++number) {
            const Certificate next = ca.issue(std::to_string(number));
            begun_ = number;
            EXPECT_TRUE(manager.update(next));
            published_ = number;
          }
        }) {}
  Rotating(const Rotating&) = delete;
  Rotating& operator=(const Rotating&) = delete;
  ~Rotating() { end(); }

  std::uint64_t published() const { return published_; }  ///< no older one is served
  std::uint64_t begun() const { return begun_; }          ///< no newer one is

  void end() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> ended_ = false;
  std::atomic<std::uint64_t> begun_ = 0;
  std::atomic<std::uint64_t> published_ = 0;
  std::thread thread_;
};

constexpr std::uint64_t kEnough = 20;

TEST_P(WebClients, AreAnsweredBeforeDuringAndAfterARotation) {
  if (!test::is_installed(GetParam())) GTEST_SKIP() << "there is no " << GetParam() << " here";
  const auto client = make_client();
  EXPECT_EQ(client->ask(), "200 0 hello");
  std::uint64_t asked = 0;
  std::uint64_t last = 0;
  {
    Rotating rotating(*manager_, ca_);
    while (asked < kEnough || rotating.published() < kEnough) {
      const std::uint64_t oldest = std::max(last, rotating.published());
      const std::string answer = client->ask();
      ++asked;
      ASSERT_THAT(answer, testing::MatchesRegex("200 [0-9]+ hello"));
      last = std::stoull(answer.substr(4));
      EXPECT_GE(last, oldest);
      EXPECT_LE(last, rotating.begun());
    }
  }
  ASSERT_TRUE(manager_->update(ca_.issue("after")));
  EXPECT_EQ(client->ask(), "200 after hello");
  EXPECT_EQ(server_.counters().handshakes, asked + 2) << "each has a connection of its own";
  EXPECT_EQ(server_.counters().failed_handshakes(), 0U);
  EXPECT_EQ(manager_->status().identities.at(0).handshakes.full, asked + 2) << "none is resumed";
}

INSTANTIATE_TEST_SUITE_P(All, WebClients, testing::Values("curl", "python3", "node"),
                         [](const auto& test) { return std::string(test.param); });

using WebClientsUnderLoad = WebClients;

TEST_P(WebClientsUnderLoad, LoseNothingToRotations) {
  if (!test::is_installed("wrk")) GTEST_SKIP() << "there is no wrk here";
  Rotating rotating(*manager_, ca_);
  const std::string url = "https://localhost:" + std::to_string(server_.port()) + "/";
  const auto wrk =
      test::run({"wrk", "-t1", "-c8", "-d1s", "-H", std::string("Connection: ") + GetParam(), url});
  rotating.end();
  EXPECT_GT(rotating.published(), kEnough);
  if (GetParam() == std::string("close")) {
    EXPECT_GT(generations_served(), kEnough);
  }
  EXPECT_EQ(wrk.exit_code, 0) << wrk.output;
  EXPECT_THAT(wrk.output, HasSubstr("Requests/sec"));
  EXPECT_THAT(wrk.output, Not(HasSubstr("Socket errors")));
  EXPECT_THAT(wrk.output, Not(HasSubstr("Non-2xx")));
  EXPECT_GT(server_.counters().requests, kEnough);
}

INSTANTIATE_TEST_SUITE_P(All, WebClientsUnderLoad, testing::Values("close", "keep-alive"),
                         [](const auto& test) {
                           return test.param == std::string("close") ? "Connecting" : "Kept";
                         });

}  // namespace
}  // namespace livetls::web
