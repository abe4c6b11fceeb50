#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "livetls/pki/certificate.hpp"
#include "peers.hpp"

namespace livetls::bench {

struct SubjectOptions {
  Service service = Service::https;  ///< all but `echo` are one web server's
  bool tickets = false;
  std::size_t threads = 1;
  std::size_t identities = 1;  ///< served by name, "localhost" the one that clients ask for
  bool pinned = true;          ///< to the first processor
  bool watches_staleness = false;
  std::filesystem::path directory = {};  ///< whose "files" are served, where there are any
};

/// What a subject's updates came to: durations since it was last told to rotate, the rest in all.
struct Rotations {
  std::uint64_t updates = 0;
  double update_p50_us = 0;
  double update_p99_us = 0;
  double update_max_us = 0;
  std::uint64_t stale = 0;   ///< connections served what had been replaced before they asked
  double first_new_us = -1;  ///< the shortest time from an update's return to who was served it
  std::uint64_t failed_handshakes = 0;
};

/// Those that are made from now on waste a millisecond for each request: whether the comparison
/// sees that is a test.
void slow_down_subjects();

/// A livetls server in a process of its own, which rotates on demand.
class Subject {
 public:
  /// Serves the first of `certificates`, and goes round them when it rotates. Fork before there are
  /// threads.
  Subject(const SubjectOptions& options, const std::vector<Certificate>& certificates);
  Subject(const Subject&) = delete;
  ~Subject();

  const ServerProcess& process() const { return *process_; }
  std::uint16_t port() const { return process_->port(); }

  /// From now on, so many updates a second.
  void rotate(double per_second);

  /// The control: wakes as often, and changes nothing.
  void only_wake(double per_second);
  Rotations stop_rotating();

  /// So many updates, one after the other; returns after the last.
  Rotations rotate_at_once(std::uint64_t updates);

 private:
  int control_ = -1;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace livetls::bench
