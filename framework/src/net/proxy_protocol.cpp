// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt

#include "net/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace livetls {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAsTuple = asio::as_tuple(use_task);

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kFirstWord = "PROXY ";
constexpr std::size_t kMaxLine = 107;       // of version 1, with its end
constexpr std::size_t kMaxRest = 4 * 1024;  // of version 2, with what else it may tell

using Proxied = std::optional<ProxiedConnection>;

/// Takes the next word off a line.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

bool parse_endpoint(std::string_view address, std::string_view port, bool v6, tcp::endpoint& into) {
  error_code error;
  const auto parsed = asio::ip::make_address(std::string(address), error);
  unsigned short number = 0;
  const char* end = port.data() + port.size();
  const auto result = std::from_chars(port.data(), end, number);
  if (error || parsed.is_v6() != v6 || result.ec != std::errc() || result.ptr != end) return false;
  into = {parsed, number};
  return true;
}

/// "TCP4 192.0.2.1 192.0.2.2 56324 443", without its end.
Result<Proxied> parse_line(std::string_view line) {
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") return Proxied();
  if (protocol != "TCP4" && protocol != "TCP6") return Error(Errc::proxy_header_malformed);
  const std::string_view source = take_word(line), target = take_word(line);
  const std::string_view source_port = take_word(line), target_port = line;
  const bool v6 = protocol == "TCP6";
  ProxiedConnection proxied;
  if (!parse_endpoint(source, source_port, v6, proxied.remote) ||
      !parse_endpoint(target, target_port, v6, proxied.local)) {
    return Error(Errc::proxy_header_malformed);
  }
  return Proxied(proxied);
}

Task<Result<Proxied>> read_version_1(StreamSocket& socket, std::string line) {
  while (!line.ends_with("\r\n")) {
    if (line.size() == kMaxLine) co_return Error(Errc::proxy_header_malformed);
    char byte = 0;
    const auto [error, bytes] = co_await asio::async_read(socket, asio::buffer(&byte, 1), kAsTuple);
    if (error) co_return Error(error);
    line += byte;
  }
  const std::string_view text = line;
  co_return parse_line(text.substr(kFirstWord.size(), text.size() - kFirstWord.size() - 2));
}

std::uint16_t number_at(const std::uint8_t* bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

template <class Address>
ProxiedConnection endpoints(const std::uint8_t* bytes) {
  typename Address::bytes_type source, target;
  std::copy_n(bytes, source.size(), source.begin());
  std::copy_n(bytes + source.size(), target.size(), target.begin());
  const std::uint8_t* ports = bytes + 2 * source.size();
  return {{Address(source), number_at(ports)}, {Address(target), number_at(ports + 2)}};
}

Result<Proxied> parse_version_2(std::uint8_t command, std::uint8_t family,
                                const std::vector<std::uint8_t>& rest) {
  constexpr std::uint8_t kLocal = 0x20, kProxy = 0x21, kTcp4 = 0x11, kTcp6 = 0x21;
  if (command == kLocal) return Proxied();
  if (command != kProxy) return Error(Errc::proxy_header_malformed);
  if (family == kTcp4 && rest.size() >= 12) {
    return Proxied(endpoints<asio::ip::address_v4>(rest.data()));
  }
  if (family == kTcp6 && rest.size() >= 36) {
    return Proxied(endpoints<asio::ip::address_v6>(rest.data()));
  }
  if (family == kTcp4 || family == kTcp6) return Error(Errc::proxy_header_malformed);
  return Proxied();  // of a kind that says nothing here
}

Task<Result<Proxied>> read_version_2(StreamSocket& socket) {
  std::array<std::uint8_t, 4> head{};
  const auto [error, bytes] = co_await asio::async_read(socket, asio::buffer(head), kAsTuple);
  if (error) co_return Error(error);
  std::vector<std::uint8_t> rest(number_at(head.data() + 2));
  if (rest.size() > kMaxRest) co_return Error(Errc::proxy_header_malformed);
  const auto [late, more] = co_await asio::async_read(socket, asio::buffer(rest), kAsTuple);
  if (late) co_return Error(late);
  co_return parse_version_2(head[0], head[1], rest);
}

template <class Network>
bool any_contains(const std::vector<Network>& networks, const auto& address) {
  return std::ranges::any_of(networks, [&](const Network& network) {
    return Network(address, network.prefix_length()).canonical() == network.canonical();
  });
}

}  // namespace

Networks::Networks(const std::vector<std::string>& list) {
  for (const std::string& text : list) {
    if (text == "unix:") {
      unix_ = true;
      continue;
    }
    const bool has_prefix = text.find('/') != text.npos;
    const bool v6 = text.find(':') != text.npos;
    error_code error;
    if (v6) {
      v6_.push_back(asio::ip::make_network_v6(has_prefix ? text : text + "/128", error));
    } else {
      v4_.push_back(asio::ip::make_network_v4(has_prefix ? text : text + "/32", error));
    }
    if (error) throw std::invalid_argument("\"" + text + "\" is no network, such as 10.0.0.0/8");
  }
}

bool Networks::contains(const asio::ip::address& address) const {
  if (address.is_v4()) return any_contains(v4_, address.to_v4());
  const auto v6 = address.to_v6();
  if (!v6.is_v4_mapped()) return any_contains(v6_, v6);
  return any_contains(v4_, asio::ip::make_address_v4(asio::ip::v4_mapped, v6));
}

Task<Result<Proxied>> read_proxy_header(StreamSocket& socket) {
  std::string first(kSignature.size(), '\0');  // no header is shorter
  const auto [error, bytes] = co_await asio::async_read(socket, asio::buffer(first), kAsTuple);
  if (error) co_return Error(error);
  if (first == kSignature) co_return co_await read_version_2(socket);
  if (first.starts_with(kFirstWord)) co_return co_await read_version_1(socket, std::move(first));
  co_return Error(Errc::proxy_header_malformed);
}

}  // namespace livetls
