#include "pki/ip_address.hpp"

#include <arpa/inet.h>

#include <array>

namespace livetls {
namespace {

constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;

}  // namespace

std::optional<std::vector<std::uint8_t>> parse_ip(std::string_view text) {
  if (text.find('\0') != text.npos) return {};
  const bool is_ipv6 = text.find(':') != text.npos;
  std::vector<std::uint8_t> bytes(is_ipv6 ? kIpv6Bytes : kIpv4Bytes);
  const std::string terminated(text);
  if (::inet_pton(is_ipv6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes.data()) != 1) return {};
  return bytes;
}

std::optional<std::string> ip_text(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != kIpv4Bytes && bytes.size() != kIpv6Bytes) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == kIpv4Bytes ? AF_INET : AF_INET6;
  if (::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

}  // namespace livetls
