#include "livetls/rotation/generations.hpp"

#include <utility>

namespace livetls {
namespace {

bool is_in_use(const GenerationCounts& counts, Milestone milestone) {
  switch (milestone) {
    case Milestone::visible: return false;
    case Milestone::quiesced: return counts.handshakes() > 0;
    case Milestone::drained: return counts.handshakes() > 0 || counts.connections() > 0;
    case Milestone::erased: return true;
  }
  return false;
}

}  // namespace

std::vector<Generations::Use> Generations::uses() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Use> uses;
  for (const auto& [generation, counts] : alive_) {
    uses.push_back({generation, static_cast<std::uint64_t>(counts->handshakes()),
                    static_cast<std::uint64_t>(counts->connections()), counts->totals()});
  }
  return uses;
}

void Generations::add(std::uint64_t generation, std::shared_ptr<GenerationCounts> counts) {
  const std::scoped_lock lock(mutex_);
  alive_.emplace(generation, std::move(counts));
}

void Generations::made_current(std::uint64_t generation) {
  {
    const std::scoped_lock lock(mutex_);
    current_ = generation;
    for (const auto& [older, counts] : alive_) {
      if (older < generation) counts->retire();
    }
  }
  check_waiters();
}

/// Of several snapshots that were built for a generation, one was published at most.
void Generations::gone(std::uint64_t generation, const GenerationCounts& counts) {
  {
    const std::scoped_lock lock(mutex_);
    const auto entry = alive_.find(generation);
    if (entry == alive_.end() || entry->second.get() != &counts) return;
    alive_.erase(entry);
  }
  check_waiters();
}

bool Generations::reached(Milestone milestone, std::uint64_t generation) const {
  const std::scoped_lock lock(mutex_);
  return current_ >= generation && oldest_in_use(milestone) >= generation;
}

/// The current one where none is older.
std::uint64_t Generations::oldest_in_use(Milestone milestone) const {
  for (const auto& [generation, counts] : alive_) {
    if (generation >= current_) break;
    if (is_in_use(*counts, milestone)) return generation;
  }
  return current_;
}

void Generations::report_milestones() {
  if (!on_milestone_) return;
  std::vector<std::pair<Milestone, std::uint64_t>> news;
  {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < kReported.size(); ++i) {
      const std::uint64_t oldest = oldest_in_use(kReported[i]);
      if (oldest <= reported_[i]) continue;
      reported_[i] = oldest;
      news.emplace_back(kReported[i], oldest);
    }
  }
  for (const auto& [milestone, generation] : news) on_milestone_(milestone, generation);
}

void Generations::check_waiters() {
  report_milestones();
  waiters_->check();
}

}  // namespace livetls
