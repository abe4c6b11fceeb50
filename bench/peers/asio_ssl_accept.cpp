#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "peers/asio_ssl_services.hpp"

namespace livetls::bench {

boost::asio::awaitable<void> accept(AsioSslWebSocket& socket) {
  co_await socket.async_accept(boost::asio::use_awaitable);
}

}  // namespace livetls::bench
