#include "https_load.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <string>
#include <string_view>

#include "livetls/base/task.hpp"
#include "livetls/tls/tls_stream.hpp"

namespace livetls::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kAtATime = 16;

Task<void> connect_and_get(std::uint16_t port, std::shared_ptr<const ClientContext> context,
                           int& left) {
  static constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  while (left-- > 0) {
    TcpSocket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, use_task);
    socket.set_option(tcp::no_delay(true));
    TlsStream<TcpSocket> stream(std::move(socket), context, ServerName::parse("localhost").value());
    co_await stream.async_handshake(use_task);
    co_await asio::async_write(stream, asio::buffer(kRequest), use_task);
    std::string answer;
    co_await asio::async_read_until(stream, asio::dynamic_buffer(answer), "hello\n", use_task);
    co_await stream.async_shutdown(use_task);
  }
}

}  // namespace

void load_https(std::uint16_t port, const std::shared_ptr<const ClientContext>& context,
                int connections) {
  asio::io_context io(1);
  std::exception_ptr failure;
  for (int i = 0; i < kAtATime; ++i) {
    auto on_end = [&failure, &io](std::exception_ptr exception) {
      if (!exception) return;
      failure = exception;
      io.stop();
    };
    asio::co_spawn(io, connect_and_get(port, context, connections), std::move(on_end));
  }
  io.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace livetls::bench
