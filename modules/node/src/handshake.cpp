#include "handshake.hpp"

#include <algorithm>
#include <boost/endian/conversion.hpp>

#include "livetls/tls/hmac.hpp"

namespace livetls::node {
namespace {

namespace endian = boost::endian;

constexpr std::string_view kMagic = "LTN";
constexpr std::uint8_t kVersion = 1;

template <class Bytes>
void append_bytes(const Bytes& bytes, std::string& to) {
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// Takes from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::string_view take(std::size_t bytes) {
    fits_ = fits_ && bytes <= rest_.size();
    const std::string_view taken = fits_ ? rest_.substr(0, bytes) : std::string_view();
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::uint8_t take_byte() {
    const std::string_view byte = take(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
  }

  template <std::size_t N>
  void take_into(std::array<std::uint8_t, N>& bytes) {
    const std::string_view taken = take(N);
    std::copy(taken.begin(), taken.end(), bytes.begin());
  }

  std::string_view rest() const noexcept { return rest_; }
  bool fits() const noexcept { return fits_; }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

std::span<const std::uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void append_with_length(std::string_view text, std::string& to) {
  to += static_cast<char>(text.size() >> 8);
  to += static_cast<char>(text.size() & 0xff);
  to += text;
}

bool is_refusal(std::uint8_t code) {
  return code >= static_cast<std::uint8_t>(NodeErrc::link_down) &&
         code <= static_cast<std::uint8_t>(NodeErrc::handshake_malformed);
}

}  // namespace

std::string to_bytes(const Hello& hello) {
  std::string bytes(kMagic);
  bytes += static_cast<char>(hello.min_version);
  bytes += static_cast<char>(hello.max_version);
  for (const std::uint64_t number : {hello.generation, hello.incarnation}) {
    std::array<std::uint8_t, 8> encoded;
    endian::store_big_u64(encoded.data(), number);
    append_bytes(encoded, bytes);
  }
  std::array<std::uint8_t, 4> max_payload;
  endian::store_big_u32(max_payload.data(), hello.max_payload);
  append_bytes(max_payload, bytes);
  append_bytes(hello.nonce, bytes);
  append_bytes(hello.link, bytes);
  bytes += static_cast<char>(hello.connection);
  bytes += static_cast<char>(hello.connections);
  return bytes + hello.name;
}

Result<Hello> parse_hello(std::string_view text) {
  Reader reader(text);
  if (reader.take(kMagic.size()) != kMagic) return Error(NodeErrc::handshake_malformed);
  Hello hello;
  hello.min_version = reader.take_byte();
  hello.max_version = reader.take_byte();
  if (!reader.fits()) return Error(NodeErrc::handshake_malformed);
  // What follows may be different in other versions.
  if (hello.min_version > kVersion || hello.max_version < kVersion) {
    return Error(NodeErrc::wrong_version);
  }
  for (std::uint64_t* number : {&hello.generation, &hello.incarnation}) {
    std::array<std::uint8_t, 8> encoded{};
    reader.take_into(encoded);
    *number = endian::load_big_u64(encoded.data());
  }
  std::array<std::uint8_t, 4> max_payload{};
  reader.take_into(max_payload);
  hello.max_payload = endian::load_big_u32(max_payload.data());
  reader.take_into(hello.nonce);
  reader.take_into(hello.link);
  hello.connection = reader.take_byte();
  hello.connections = reader.take_byte();
  hello.name = reader.rest();
  if (!reader.fits() || hello.connection >= hello.connections) {
    return Error(NodeErrc::handshake_malformed);
  }
  return hello;
}

std::string prove(std::span<const std::uint8_t> cookie, Role role, const Binding& binding,
                  std::string_view dialler_hello, std::string_view acceptor_hello) {
  std::string text = "livetls node ";
  text += static_cast<char>(role);
  text += binding ? '1' : '0';
  if (binding) append_bytes(*binding, text);
  append_with_length(dialler_hello, text);
  append_with_length(acceptor_hello, text);
  const Mac mac = hmac_sha256(cookie, as_bytes(text));
  return {mac.begin(), mac.end()};
}

bool is_proof(std::string_view shown, const std::string& expected) noexcept {
  Mac a{};
  Mac b{};
  if (shown.size() != a.size() || expected.size() != b.size()) return false;
  std::copy(shown.begin(), shown.end(), a.begin());
  std::copy(expected.begin(), expected.end(), b.begin());
  return equal_secretly(a, b);
}

std::string accept_with(const std::string& proof) { return std::string(1, '\0') + proof; }

std::string refuse_with(NodeErrc reason) { return std::string(1, static_cast<char>(reason)); }

Result<std::string> parse_verdict(std::string_view text) {
  if (text.empty()) return Error(NodeErrc::handshake_malformed);
  const auto code = static_cast<std::uint8_t>(text[0]);
  if (code == 0) return std::string(text.substr(1));
  return Error(is_refusal(code) ? static_cast<NodeErrc>(code) : NodeErrc::handshake_malformed,
               "the peer refused");
}

}  // namespace livetls::node
