// The header of the PROXY protocol, as it comes from a proxy's connection: what is read of it is no
// more than the header, and what stands behind it is left where it is.
//
// Input: the connection's bytes.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <string_view>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "net/proxy_protocol.hpp"

namespace livetls::fuzz {
namespace {

namespace asio = boost::asio;
using Local = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

constexpr std::size_t kMaxInput = 4096;  // a socket takes it without anybody reading

/// How long the header at the beginning is, if it is one: a line, or what the second version
/// counts.
std::size_t header_size(std::string_view bytes) {
  if (bytes.starts_with("PROXY ")) return bytes.find("\r\n") + 2;
  return 16 + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[14])) << 8 |
               static_cast<unsigned char>(bytes[15]));
}

void check(std::string_view bytes) {
  if (bytes.size() > kMaxInput) return;
  asio::io_context io;
  Local ours(io.get_executor());
  Local theirs(io.get_executor());
  asio::local::connect_pair(ours, theirs);
  asio::write(theirs, asio::buffer(bytes));
  theirs.shutdown(Local::shutdown_send);
  StreamSocket socket(std::move(ours));
  std::optional<Result<std::optional<ProxiedConnection>>> header;
  asio::co_spawn(io, read_proxy_header(socket), [&](std::exception_ptr thrown, auto result) {
    require(!thrown, "a malformed header is no exception");
    header = std::move(result);
  });
  io.run();
  require(header.has_value(), "it ends with the connection");
  if (!*header) return;
  boost::system::error_code error;
  std::string rest(kMaxInput, '\0');
  std::size_t size = 0;
  while (!error)
    size += socket.read_some(asio::buffer(rest.data() + size, rest.size() - size), error);
  require(header_size(bytes) + size == bytes.size(), "not a byte more than the header was read");
  require(bytes.ends_with(std::string_view(rest).substr(0, size)), "the rest is as it came");
}

const Target kTarget("proxy_header", [](Bytes input) {
  check({reinterpret_cast<const char*>(input.data()), input.size()});
});

}  // namespace
}  // namespace livetls::fuzz
