#include "measures.hpp"

#include "tls/load_client.hpp"

namespace livetls::bench {

LoadOptions Bench::load() const {
  const TlsPolicy tls13{.min_version = TlsVersion::tls1_3, .max_version = TlsVersion::tls1_3};
  static const auto client = make_load_client(tls13, KeyExchange::x25519);
  return {.client = client};
}

Peer start_peer(std::string_view name, const PeerOptions& options, const Certificate& certificate) {
  if (name == "nginx") return Peer::nginx(options, certificate);
  if (name == "haproxy") return Peer::haproxy(options, certificate);
  if (name == "hitch") return Peer::hitch(options, certificate);
  return Peer::asio_ssl(options, certificate);
}

std::string display_name(std::string_view name) {
  if (name == "haproxy") return "HAProxy";
  if (name == "asio_ssl") return "Asio ssl::stream";
  return std::string(name);
}

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {
      {"full", "full handshakes", measure_full_handshakes},
      {"resumed", "resumed handshakes", measure_resumed_handshakes},
      {"keepalive", "keep-alive requests", measure_keep_alive},
      {"json", "JSON echo", measure_json},
      {"files", "static files", measure_files},
      {"websocket", "WebSocket echo", measure_websocket},
      {"echo", "raw TLS echo", measure_echo},
      {"links", "links between nodes", measure_links},
      {"connector", "outgoing connections", measure_connector},
      {"idle", "idle connections", measure_idle},
      {"rotation", "rotation beside its control", measure_rotation},
      {"updates", "duration of updates", measure_updates},
      {"soak", "a long run at 100 rotations a second", measure_soak},
      {"threads", "two threads", measure_threads},
      {"resumption", "resumption across rotations", measure_resumption_across_rotation},
      {"memory", "memory over rotations", measure_memory},
      {"peers", "peers rotating", measure_peers_rotating},
  };
  return all;
}

}  // namespace livetls::bench
