#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "livetls/pki/certificate.hpp"
#include "load/load.hpp"
#include "peers.hpp"
#include "report.hpp"

namespace livetls::bench {

/// How long it may take: half an hour; a few minutes; or half a minute, which shows only that
/// everything runs.
enum class Scale { full, quick, smoke };

/// What all measures share.
struct Bench {
  Scale scale = Scale::full;
  std::filesystem::path directory;        ///< for the peers' files
  std::vector<Certificate> certificates;  ///< of one authority, all for localhost
  Report& report;
  std::size_t wanted_rounds = 0;  ///< 0: as many as befits

  template <class T>
  T choose(T full, T quick, T smoke) const {
    return scale == Scale::full ? full : scale == Scale::quick ? quick : smoke;
  }
  std::size_t rounds() const {
    return wanted_rounds > 0 ? wanted_rounds : choose<std::size_t>(15, 5, 1);
  }
  std::uint64_t operations(std::uint64_t full) const {
    return choose(full, full / 3, std::max<std::uint64_t>(full / 100, 100));
  }

  /// TLS 1.3, X25519, for localhost.
  LoadOptions load() const;
};

constexpr int kServerProcessor = 0;
constexpr int kLoadProcessor = 1;

struct Measure {
  std::string name;
  std::string title;
  void (*run)(Bench&);
};

/// In the order in which they are run.
const std::vector<Measure>& measures();

/// The peers by the names of their programs, and as people write them.
Peer start_peer(std::string_view name, const PeerOptions& options, const Certificate& certificate);
std::string display_name(std::string_view name);

void measure_full_handshakes(Bench& bench);
void measure_resumed_handshakes(Bench& bench);
void measure_keep_alive(Bench& bench);
void measure_json(Bench& bench);
void measure_files(Bench& bench);
void measure_websocket(Bench& bench);
void measure_echo(Bench& bench);
void measure_links(Bench& bench);
void measure_connector(Bench& bench);
void measure_idle(Bench& bench);
void measure_threads(Bench& bench);

void measure_rotation(Bench& bench);
void measure_updates(Bench& bench);
void measure_memory(Bench& bench);
void measure_resumption_across_rotation(Bench& bench);
void measure_peers_rotating(Bench& bench);
void measure_soak(Bench& bench);

}  // namespace livetls::bench
