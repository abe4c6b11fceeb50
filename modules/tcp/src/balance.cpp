#include "livetls/tcp/balance.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace livetls::tcp {
namespace {

class Workers {
 public:
  Workers(std::vector<Server::Handler> workers, Balance how)
      : how_(how), workers_(std::move(workers)), open_(workers_.size()) {
    const bool all_there = std::ranges::all_of(workers_, [](const auto& w) { return bool{w}; });
    if (workers_.empty() || !all_there) throw std::invalid_argument("balance needs workers");
  }

  Task<void> serve(Connection& connection) {
    struct Open {
      explicit Open(Workers& all) : workers(all), number(all.choose()) {}
      Open(const Open&) = delete;
      Open& operator=(const Open&) = delete;
      ~Open() { workers.ended(number); }
      Workers& workers;
      const std::size_t number;
    } open(*this);
    co_await workers_[open.number](connection);
  }

 private:
  std::size_t choose() {
    const std::scoped_lock lock(mutex_);
    std::size_t chosen = next_++ % workers_.size();
    if (how_ == Balance::least_loaded) {
      chosen = static_cast<std::size_t>(std::ranges::min_element(open_) - open_.begin());
    }
    ++open_[chosen];
    return chosen;
  }

  void ended(std::size_t number) {
    const std::scoped_lock lock(mutex_);
    --open_[number];
  }

  const Balance how_;
  const std::vector<Server::Handler> workers_;
  std::mutex mutex_;
  std::vector<std::size_t> open_;  // connections, by worker
  std::size_t next_ = 0;
};

}  // namespace

Server::Handler balance(std::vector<Server::Handler> workers, Balance how) {
  const auto all = std::make_shared<Workers>(std::move(workers), how);
  return [all](Connection& connection) { return all->serve(connection); };
}

}  // namespace livetls::tcp
