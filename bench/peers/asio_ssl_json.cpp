// As Beast's documentation teaches it, with Boost.JSON.

#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include "peers/asio_ssl_services.hpp"
#include "peers/order.hpp"

namespace livetls::bench {

namespace http = boost::beast::http;
namespace json = boost::json;
using boost::asio::use_awaitable;

boost::asio::awaitable<void> echo_json(AsioSslStream& stream) {
  for (boost::beast::flat_buffer buffer;;) {
    http::request<http::string_body> request;
    co_await http::async_read(stream, buffer, request, use_awaitable);
    const auto order = json::value_to<Order>(json::parse(request.body()));
    http::response<http::string_body> response(http::status::ok, 11);
    response.set(http::field::content_type, "application/json");
    response.body() = json::serialize(json::value_from(order));
    response.prepare_payload();
    co_await http::async_write(stream, response, use_awaitable);
  }
}

}  // namespace livetls::bench
