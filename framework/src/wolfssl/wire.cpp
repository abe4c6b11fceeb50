#include "wolfssl/wire.hpp"

#include <array>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "livetls/base/error.hpp"
#include "livetls/tls/tls_engine.hpp"

namespace livetls::wolfssl {
namespace {

std::uint16_t group_named(std::string_view name) {
  if (name == "X25519") return WOLFSSL_ECC_X25519;
  if (name == "SECP256R1") return WOLFSSL_ECC_SECP256R1;
  if (name == "SECP384R1") return WOLFSSL_ECC_SECP384R1;
  if (name == "SECP521R1") return WOLFSSL_ECC_SECP521R1;
  return 0;
}

HandshakeWatch::Agreed agreed(WOLFSSL* ssl) {
  const bool tls13 = wolfSSL_version(ssl) == static_cast<int>(TlsVersion::tls1_3);
  const char* name = tls13 ? nullptr : wolfSSL_get_curve_name(ssl);
  return {tls13, group_named(name == nullptr ? "" : name)};
}

/// Memory for large outputs, by thread. They come and go too fast for the allocator: it gives pages
/// back to the system only to take them again.
struct SpareOutputs {
  static constexpr std::size_t kMinBytes = 16 * 1024;
  std::array<std::vector<std::uint8_t>, 4> outputs;
  std::size_t count = 0;
};
thread_local SpareOutputs spare;

}  // namespace

void Wire::reserve_output(std::size_t bytes) {
  if (output.capacity() >= bytes) return;
  const bool is_large = bytes >= SpareOutputs::kMinBytes;
  if (is_large && output.empty() && spare.count > 0) {
    output = std::move(spare.outputs[--spare.count]);
  }
  output.reserve(bytes);
}

void Wire::give_back_output(std::vector<std::uint8_t>& memory) noexcept {
  const bool is_wanted =
      memory.capacity() >= SpareOutputs::kMinBytes && spare.count < spare.outputs.size();
  if (!is_wanted) return std::vector<std::uint8_t>().swap(memory);
  memory.clear();
  spare.outputs[spare.count++] = std::move(memory);
}

int receive_callback(WOLFSSL* ssl, char* into, int size, void* context) {
  auto& wire = *static_cast<Wire*>(context);
  const std::size_t count = wire.input.take(into, static_cast<std::size_t>(size));
  if (count == 0) return WOLFSSL_CBIO_ERR_WANT_READ;
  if (!wire.watch) return static_cast<int>(count);
  try {
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(into), count);
    wire.not_received = wire.watch->see(bytes, agreed(ssl));
  } catch (const std::bad_alloc&) {
    wire.not_received = Errc::tls_failure;
  }
  if (wire.not_received) return WOLFSSL_CBIO_ERR_GENERAL;
  return static_cast<int>(count);
}

int send_callback(WOLFSSL*, char* from, int size, void* wire) {
  try {
    auto& output = static_cast<Wire*>(wire)->output;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(from);
    output.insert(output.end(), bytes, bytes + size);
    return size;
  } catch (const std::bad_alloc&) {
    return WOLFSSL_CBIO_ERR_GENERAL;
  }
}

}  // namespace livetls::wolfssl
