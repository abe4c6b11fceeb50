#pragma once

// The library without livetls at one end, and an engine of livetls's at the other.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "livetls/tls/tls_engine.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls::test {

/// A session of the library's whose bytes are held here.
class RawEnd {
 public:
  explicit RawEnd(const CtxPtr& ctx) : ssl(wolfSSL_new(ctx.get())) {
    must(ssl != nullptr, "a session");
    wolfSSL_SSLSetIORecv(ssl.get(), receive);
    wolfSSL_SSLSetIOSend(ssl.get(), transmit);
    wolfSSL_SetIOReadCtx(ssl.get(), this);
    wolfSSL_SetIOWriteCtx(ssl.get(), this);
  }
  RawEnd(const RawEnd&) = delete;
  RawEnd& operator=(const RawEnd&) = delete;

  SslPtr ssl;
  std::string input;
  std::string output;

  /// The library's reason; 0 once the handshake is done.
  int step() {
    const int result =
        wolfSSL_is_server(ssl.get()) == 1 ? wolfSSL_accept(ssl.get()) : wolfSSL_connect(ssl.get());
    return result == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(ssl.get(), result);
  }

 private:
  static int receive(WOLFSSL*, char* into, int size, void* self) {
    std::string& input = static_cast<RawEnd*>(self)->input;
    const std::size_t count = input.copy(into, static_cast<std::size_t>(size));
    input.erase(0, count);
    return count == 0 ? static_cast<int>(WOLFSSL_CBIO_ERR_WANT_READ) : static_cast<int>(count);
  }

  static int transmit(WOLFSSL*, char* bytes, int size, void* self) {
    static_cast<RawEnd*>(self)->output.append(bytes, static_cast<std::size_t>(size));
    return size;
  }
};

inline void give(TlsEngine& engine, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto space = engine.input_space();
    const std::size_t count = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), count);
    engine.input_arrived(count);
    bytes.remove_prefix(count);
  }
}

inline std::string take_from(TlsEngine& engine) {
  std::vector<std::uint8_t> bytes;
  if (engine.output_size() > 0) engine.take_output(bytes);
  return {bytes.begin(), bytes.end()};
}

/// How a handshake ended: the engine's last answer, the library's reason, and what the engine sent
/// last.
struct Met {
  TlsEngine::Step engine;
  int raw = WOLFSSL_ERROR_WANT_READ;
  std::string last_words;

  bool established() const { return engine.next == TlsEngine::Step::Next::done; }
};

/// Steps both ends until nothing moves. `on_the_way` may change what the library sends.
inline Met meet(TlsEngine& engine, RawEnd& raw,
                const std::function<void(std::string&)>& on_the_way = {}) {
  using Next = TlsEngine::Step::Next;
  Met met;
  met.engine.next = Next::need_input;
  for (;;) {
    if (met.raw == WOLFSSL_ERROR_WANT_READ) met.raw = raw.step();
    const bool raw_sent = !raw.output.empty();
    if (raw_sent && on_the_way) on_the_way(raw.output);
    give(engine, std::exchange(raw.output, {}));
    if (met.engine.next == Next::need_input) met.engine = engine.handshake();
    const std::string sent = take_from(engine);
    if (!sent.empty()) met.last_words = sent;
    raw.input += sent;
    if (sent.empty() && !raw_sent) return met;
  }
}

/// A fatal alert as it is sent while nothing is encrypted.
inline std::string plain_alert(char description) {
  return std::string("\x15\x03\x03\x00\x02\x02", 6) + description;
}

inline constexpr char kIllegalParameter = 47;

}  // namespace livetls::test
