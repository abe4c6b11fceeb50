#pragma once

// What the tests of Listener have in common.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/error.hpp>
#include <csignal>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "livetls/net/listener.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/gate.hpp"
#include "support/tell_what_is_served.hpp"
#include "support/test_ca.hpp"
#include "support/tls_client.hpp"

namespace livetls::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A TCP connection that says what the test likes.
class Stranger {
 public:
  explicit Stranger(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }

  void say(std::string_view bytes) { asio::write(socket_, asio::buffer(bytes)); }
  void leave() { socket_.close(); }

  /// What the server says until it closes; waits 20 seconds at most.
  std::string hear() {
    const timeval patience{20, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string all;
    char buffer[4096];
    for (;;) {
      const ssize_t count = ::recv(socket_.native_handle(), buffer, sizeof buffer, 0);
      if (count > 0) {
        all.append(buffer, static_cast<std::size_t>(count));
      } else if (count < 0 && errno == EAGAIN) {
        throw std::runtime_error("the server neither spoke nor closed");
      } else {
        return all;  // closed, or reset
      }
    }
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::socket socket_;
};

class ListenerTest : public ::testing::Test {
 protected:
  /// One thread, so that limits are exact.
  static Runtime::Options one_thread(std::chrono::steady_clock::duration grace = 20s) {
    return {.threads = 1, .stop_grace = grace, .stop_on_signals = false};
  }

  static ListenerOptions loopback() { return {.address = "127.0.0.1"}; }

  TlsClient connect(std::uint16_t port) const { return TlsClient(port, client); }

  /// What an honest client begins with.
  std::string client_hello() const {
    TlsEngine engine(client, ServerName::parse("localhost").value());
    engine.handshake();
    std::vector<std::uint8_t> bytes;
    engine.take_output(bytes);
    return {bytes.begin(), bytes.end()};
  }

  test::TestCa ca;
  std::shared_ptr<CertManager> manager = CertManager::create(ca.issue("A")).value();
  std::shared_ptr<const ClientContext> client =
      ClientContext::create({.roots = ca.roots()}).value();
};

}  // namespace livetls::test
