#pragma once

// What the tests of nodes within one process have in common.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/array.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "livetls/node/node.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/running_runtime.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_ca.hpp"

namespace livetls::node {

using namespace std::chrono_literals;
using test::eventually;
using testing::HasSubstr;

constexpr const char* kA = "a@localhost";
constexpr const char* kB = "b@localhost";

class NodeTest : public testing::Test {
 protected:
  CertSet set_of(const std::string& organization) const {
    return {
        .default_identity = Identity(ca_.issue(organization)).with(ClientAuth::require_and_verify),
        .client_roots = ca_.roots()};
  }

  std::shared_ptr<CertManager> manager_of(const std::string& organization) const {
    return CertManager::create(set_of(organization)).value();
  }

  NodeOptions options_for_b() {
    NodeOptions options{.cert_manager = manager_b_, .acceptors = {{}}, .cookie = "secret"};
    options.services.messages["note"] = [this](Message message) -> Task<void> {
      const std::scoped_lock lock(mutex_);
      notes_.push_back(message.payload.bytes());
      co_return;
    };
    options.services.requests["whoami"] = [](Message message) -> Task<Result<Payload>> {
      const Peer& peer = *message.from;
      co_return Payload(peer.name.text() + " " +
                        (peer.is_verified ? peer.certificate->subject : "nobody"));
    };
    options.services.requests["add"] = [](Message message) -> Task<Result<Payload>> {
      const auto numbers = message.payload.json();
      if (!numbers || !numbers->is_array()) co_return Error(Errc::input_empty, "no numbers");
      std::int64_t sum = 0;
      for (const auto& number : numbers->get_array()) sum += number.to_number<std::int64_t>();
      co_return Payload(boost::json::value(sum));
    };
    options.services.requests["throw"] = [](Message) -> Task<Result<Payload>> {
      throw std::runtime_error("internal");
      co_return Payload();
    };
    options.services.requests["wait"] = [this](Message) -> Task<Result<Payload>> {
      co_await gate_.pass();
      co_return Payload("waited");
    };
    options.services.events["count"] = [](Message message, EventWriter& out) -> Task<void> {
      const int last = std::stoi(message.payload.bytes());
      for (int i = 1; i <= last; ++i) {
        const auto written = co_await out.write(std::to_string(i));
        if (!written) co_return;
      }
    };
    return options;
  }

  NodeOptions options_for_a(const Node& b) {
    return {.cert_manager = manager_a_,
            .routes = {{.pattern = kB, .port = b.ports().at(0)}},
            .cookie = "secret",
            .reconnect_min = 1ms};
  }

  template <class T>
  T wait(Task<T> task) {
    return boost::asio::co_spawn(runtime_->executor(0), std::move(task), boost::asio::use_future)
        .get();
  }

  std::string ask(Node& from, std::string service, Payload payload = {}, SendOptions options = {}) {
    const auto reply = wait(from.request(kB, std::move(service), std::move(payload), options));
    return reply ? reply->bytes() : reply.error().message();
  }

  Error error_of(Node& from, std::string service = "whoami") {
    const auto reply = wait(from.request(kB, std::move(service), "", {.timeout = 5s}));
    return reply ? Error() : reply.error();
  }

  std::string socket_file(int number) const {
    return (directory_ / ("a" + std::to_string(number))).string();
  }

  std::vector<std::string> notes() {
    const std::scoped_lock lock(mutex_);
    return notes_;
  }

  const test::TemporaryDirectory directory_;
  const test::TestCa ca_;
  const test::CapturedLog log_;
  const std::shared_ptr<CertManager> manager_a_ = manager_of("a1");
  const std::shared_ptr<CertManager> manager_b_ = manager_of("b1");
  std::mutex mutex_;
  std::vector<std::string> notes_;
  test::Gate gate_;
  test::RunningRuntime runtime_;
};

}  // namespace livetls::node
