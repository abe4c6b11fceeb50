// What one would write without livetls: Asio's ssl::stream as its documentation teaches it, and a
// new ssl::context for the connections to come when SIGHUP says that the files have changed.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/program_options.hpp>
#include <boost/version.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "peers/asio_ssl_services.hpp"
#ifdef BOOST_ASIO_SEPARATE_COMPILATION
#include <boost/asio/ssl/impl/src.hpp>
#endif

namespace livetls::bench {
namespace {

namespace asio = boost::asio;
namespace po = boost::program_options;
namespace ssl = asio::ssl;
using asio::use_awaitable;
using asio::ip::tcp;
namespace http = boost::beast::http;
using Stream = AsioSslStream;

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";

struct Options {
  std::string mode;
  std::uint16_t port = 0;
  std::string certificate_file;
  std::string key_file;
  bool tickets = false;
};

std::shared_ptr<ssl::context> load_context(const Options& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set1_groups_list(native, "X25519:P-256");
  if (!options.tickets) {
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(native, 0);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  }
  context->use_certificate_chain_file(options.certificate_file);
  context->use_private_key_file(options.key_file, ssl::context::pem);
  return context;
}

asio::awaitable<void> answer(Stream& stream) {
  for (std::string buffer;;) {
    const std::size_t length = co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer),
                                                               "\r\n\r\n", use_awaitable);
    buffer.erase(0, length);
    co_await asio::async_write(stream, asio::buffer(kResponse), use_awaitable);
  }
}

asio::awaitable<void> echo(Stream& stream) {
  for (std::vector<char> buffer(16384);;) {
    const std::size_t length = co_await stream.async_read_some(asio::buffer(buffer), use_awaitable);
    co_await asio::async_write(stream, asio::buffer(buffer, length), use_awaitable);
  }
}

using Service = asio::awaitable<void> (*)(Stream&);

Service service_of(const std::string& mode) {
  if (mode == "https") return answer;
  if (mode == "echo") return echo;
  if (mode == "json") return echo_json;
  if (mode == "websocket") return echo_messages;
  throw po::error("--mode cannot be '" + mode + "'");
}

bool is_end(const boost::system::error_code& error) {
  return error == asio::error::eof || error == http::error::end_of_stream;
}

asio::awaitable<void> serve(Stream stream, Service service) {
  try {
    co_await stream.async_handshake(ssl::stream_base::server, use_awaitable);
    try {
      co_await service(stream);
    } catch (const boost::system::system_error& error) {
      if (!is_end(error.code())) throw;
    }
    co_await stream.async_shutdown(use_awaitable);
  } catch (const boost::system::system_error&) {
    // The client is gone.
  }
}

asio::awaitable<void> accept_all(tcp::acceptor acceptor,
                                 const std::shared_ptr<ssl::context>& current, Service service) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), serve(Stream(std::move(socket), *current), service),
                   asio::detached);
  }
}

asio::awaitable<void> reload_on_hangup(asio::signal_set& signals, const Options& options,
                                       std::shared_ptr<ssl::context>& current) {
  for (;;) {
    co_await signals.async_wait(use_awaitable);
    try {
      current = load_context(options);
      std::cout << "serving the new certificate" << std::endl;
    } catch (const std::exception& error) {
      std::cout << "keeping the old certificate: " << error.what() << std::endl;
    }
  }
}

void run(const Options& options) {
  asio::io_context io(1);
  std::shared_ptr<ssl::context> current = load_context(options);
  asio::signal_set signals(io, SIGHUP);
  asio::co_spawn(io, reload_on_hangup(signals, options, current), asio::detached);
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), options.port});
  asio::co_spawn(io, accept_all(std::move(acceptor), current, service_of(options.mode)),
                 [](std::exception_ptr failure) { std::rethrow_exception(failure); });
  io.run();
}

int main(int argc, char** argv) {
  Options options;
  po::options_description visible("usage: asio_ssl_server [options]");
  visible.add_options()("mode", po::value(&options.mode)->default_value("https"),
                        "https, echo, json or websocket")(
      "port", po::value(&options.port)->required(), "of 127.0.0.1")(
      "certificate", po::value(&options.certificate_file)->required(), "file, PEM")(
      "key", po::value(&options.key_file)->required(), "file, PEM")(
      "tickets", po::bool_switch(&options.tickets), "let clients resume")("version", "");
  try {
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, visible), values);
    if (values.contains("version")) {
      std::cout << "Boost " BOOST_LIB_VERSION ", " << OpenSSL_version(OPENSSL_VERSION) << '\n';
      return 0;
    }
    po::notify(values);
    run(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "asio_ssl_server: " << error.what() << '\n' << visible;
    return 1;
  }
}

}  // namespace
}  // namespace livetls::bench

int main(int argc, char** argv) { return livetls::bench::main(argc, argv); }
