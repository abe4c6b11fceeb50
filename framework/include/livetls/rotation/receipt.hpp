#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "livetls/rotation/generations.hpp"

namespace livetls {

/// The answer to an update that was published: from now on, every ClientHello that is read gets
/// this generation or a later one. And the way to learn when what was served before is out of use:
///
///     co_await receipt->async_drained(std::chrono::minutes(5), use_task);
///
/// Each wait takes a limit and any completion token, completes with void(error_code) on the token's
/// executor (operation_aborted when cancelled, timed_out at the limit), and may be used any number
/// of times, from any thread.
class Receipt {
 public:
  Receipt(std::uint64_t number, std::chrono::system_clock::time_point time,
          std::shared_ptr<Generations> generations)
      : generation(number), published_at(time), generations_(std::move(generations)) {}

  std::uint64_t generation;
  std::chrono::system_clock::time_point published_at;

  static constexpr auto kForever = Waiters::kForever;

  /// New handshakes get it: at once, for an update that has returned.
  template <class Token>
  auto async_visible(std::chrono::steady_clock::duration within, Token&& token) const {
    return wait(Milestone::visible, within, std::forward<Token>(token));
  }

  /// No handshake is in flight that was chosen for before it.
  template <class Token>
  auto async_quiesced(std::chrono::steady_clock::duration within, Token&& token) const {
    return wait(Milestone::quiesced, within, std::forward<Token>(token));
  }

  /// No connection is left that was served something older.
  template <class Token>
  auto async_drained(std::chrono::steady_clock::duration within, Token&& token) const {
    return wait(Milestone::drained, within, std::forward<Token>(token));
  }

  /// Nothing of what only older generations held is in memory, and its private keys are wiped.
  /// The history that a rollback needs holds it up, until it has moved on or CertManager's
  /// forget_history was called; so does a Snapshot that the caller has kept.
  template <class Token>
  auto async_erased(std::chrono::steady_clock::duration within, Token&& token) const {
    return wait(Milestone::erased, within, std::forward<Token>(token));
  }

 private:
  template <class Token>
  auto wait(Milestone milestone, std::chrono::steady_clock::duration within, Token&& token) const {
    return generations_->async_wait(milestone, generation, within, std::forward<Token>(token));
  }

  std::shared_ptr<Generations> generations_;
};

}  // namespace livetls
