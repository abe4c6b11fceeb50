#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "peers/asio_ssl_services.hpp"

namespace livetls::bench {

using boost::asio::use_awaitable;

boost::asio::awaitable<void> echo_messages(AsioSslStream& stream) {
  AsioSslWebSocket socket(stream);
  co_await accept(socket);
  for (boost::beast::flat_buffer buffer;;) {
    co_await socket.async_read(buffer, use_awaitable);
    socket.text(socket.got_text());
    co_await socket.async_write(buffer.data(), use_awaitable);
    buffer.clear();
  }
}

}  // namespace livetls::bench
