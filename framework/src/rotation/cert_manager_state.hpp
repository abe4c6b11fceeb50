#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "livetls/base/published.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "rotation/attendant.hpp"
#include "rotation/expiry_watch.hpp"
#include "rotation/schedule.hpp"

namespace livetls {

/// A commit that asked to be confirmed.
struct CertManager::Trial {
  std::uint64_t generation;
  std::chrono::steady_clock::time_point until;
  CommitOptions options;
};

struct CertManager::State {
  State(SnapshotPtr first, Snapshot::Shared of_all, std::shared_ptr<TicketKeys> keys,
        std::shared_ptr<EventLog> log, Options given)
      : options(std::move(given)),
        generations(of_all.generations),
        events(std::move(log)),
        ticket_keys(std::move(keys)),
        shared(std::move(of_all)),
        expiry_watch(options.expiry_thresholds),
        current(std::move(first)) {}

  Options options;
  std::shared_ptr<Generations> generations;
  std::shared_ptr<EventLog> events;
  std::shared_ptr<TicketKeys> ticket_keys;  // nullptr: no tickets

  std::mutex updates;
  Snapshot::Shared shared;
  std::deque<SnapshotPtr> history;  // what was served before, the latest last
  std::optional<Trial> trial;       // of the current generation
  Schedule schedule;
  std::chrono::system_clock::time_point published_at = std::chrono::system_clock::now();

  std::mutex watches;
  ExpiryWatch expiry_watch;
  std::optional<std::chrono::sys_seconds> ticket_epoch_until;

  std::mutex holders_mutex;
  std::set<ConnectionHolder*> holders;

  Published<Snapshot> current;
  std::unique_ptr<Attendant> attendant;  // nullptr where the clock is the caller's
};

}  // namespace livetls
