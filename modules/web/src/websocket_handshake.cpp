#include "websocket_handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>

namespace livetls::web {

namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

namespace {

using UpgradeRequest = beast::http::request<beast::http::empty_body>;

UpgradeRequest as_beast_has_it(const Request& request) {
  const auto verb =
      request.method == Method::get ? beast::http::verb::get : beast::http::verb::unknown;
  UpgradeRequest upgrade(verb, request.target, 11);
  for (const auto& [name, value] : request.headers) upgrade.insert(name, value);
  return upgrade;
}

}  // namespace

bool asks_for_websocket(const Request& request) { return ws::is_upgrade(as_beast_has_it(request)); }

Task<bool> accept_websocket(ws::stream<ConnectionStream>& stream, const Request& request) {
  const UpgradeRequest upgrade = as_beast_has_it(request);
  const auto [error] = co_await stream.async_accept(upgrade, boost::asio::as_tuple(use_task));
  co_return !error;
}

}  // namespace livetls::web
