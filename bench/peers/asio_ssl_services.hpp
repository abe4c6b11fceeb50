#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/websocket/stream_fwd.hpp>

namespace livetls::bench {

using AsioSslStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// What the server offers on a connection, until the client ends it, which is thrown. In files of
/// their own, since each takes a compiler much memory.
boost::asio::awaitable<void> echo_json(AsioSslStream& stream);
boost::asio::awaitable<void> echo_messages(AsioSslStream& stream);

using AsioSslWebSocket = boost::beast::websocket::stream<AsioSslStream&>;
boost::asio::awaitable<void> accept(AsioSslWebSocket& socket);

}  // namespace livetls::bench
