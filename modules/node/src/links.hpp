#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "handshake.hpp"
#include "livetls/async/waiters.hpp"

namespace livetls::node {

class Link;

/// A node's links, by peer, and who calls whom. Thread-safe.
///
/// Two nodes may call each other at the same time. What the one whose name comes first has begun
/// goes on, and the other call is refused; so both must know when a call has gone too far to give
/// way, which is when the caller's proof is sent.
class Links {
 public:
  /// One that takes what is new: it is up, and what was sent on the one before it was handled, so
  /// that nothing overtakes that. nullptr where there is none.
  std::shared_ptr<Link> find(const std::string& peer) const;

  bool is_linked(const std::string& peer) const;

  std::vector<std::shared_ptr<Link>> all() const;

  /// Before a caller's proof is sent. False where a link has come about meanwhile.
  bool begin_call(const std::string& peer);
  void end_call(const std::string& peer);

  /// For an acceptor whose caller has proven itself: the link that a connection belongs to, made by
  /// `make` where it is the first. Errors: dialled_both_ways, too_many_connections.
  Result<std::shared_ptr<Link>> join(const std::string& us, const std::string& peer,
                                     const Hello& hello,
                                     const std::function<std::shared_ptr<Link>()>& make);

  /// All its connections are there. It takes the place of one that was up: the peer has lost that,
  /// or, where it is still the same process, left it, and what says so may come later.
  void set_up(const std::shared_ptr<Link>& link);

  /// It takes nothing new, but something on it may not have been handled.
  void set_leaving(const std::shared_ptr<Link>& link);

  /// It has ended, or nothing on it can be overtaken any more.
  void set_down(const Link& link);

  /// Checked when a link has come or gone, and when a call has ended.
  const std::shared_ptr<Waiters>& changed() const noexcept { return changed_; }

 private:
  struct Entry {
    std::shared_ptr<Link> up;
    std::vector<std::shared_ptr<Link>> leaving;
    std::shared_ptr<Link> forming;  // accepted, and not all connections are there
    bool calling = false;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  const std::shared_ptr<Waiters> changed_ = std::make_shared<Waiters>();
};

}  // namespace livetls::node
