#include "net/dial.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "livetls/async/timer.hpp"

namespace livetls {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using Clock = std::chrono::steady_clock;
using Endpoint = StreamSocket::endpoint_type;

constexpr auto kAsTuple = asio::as_tuple(use_task);

/// The attempts under way. What they call when they end may come after who started them has gone.
class Race : public std::enable_shared_from_this<Race> {
 public:
  explicit Race(Executor executor) : executor_(executor), news_(executor) {}

  void start(const Endpoint& endpoint) {
    const auto attempt = attempts_.emplace(attempts_.end(), executor_);
    attempt->async_connect(endpoint, [self = shared_from_this(), attempt](error_code error) {
      self->ended(attempt, error);
    });
  }

  /// Returns when an attempt has ended, or at that time.
  Task<void> wait_until(Clock::time_point time) {
    const std::size_t ended = ended_;
    news_.expires_at(time);
    while (ended_ == ended && Clock::now() < time) co_await news_.async_wait(kAsTuple);
  }

  /// The others end, too.
  void end() {
    over_ = true;
    for (StreamSocket& attempt : attempts_) {
      error_code ignored;
      attempt.close(ignored);
    }
  }

  bool is_under_way() const { return ended_ < attempts_.size(); }
  std::optional<StreamSocket>& winner() { return winner_; }
  error_code last_error() const { return last_error_; }

 private:
  void ended(std::list<StreamSocket>::iterator attempt, error_code error) {
    ++ended_;
    if (error) last_error_ = error;
    if (!error && !winner_ && !over_) winner_.emplace(std::move(*attempt));
    news_.cancel();
  }

  Executor executor_;
  Timer news_;
  std::list<StreamSocket> attempts_;
  std::size_t ended_ = 0;
  std::optional<StreamSocket> winner_;
  error_code last_error_ = asio::error::host_not_found;
  bool over_ = false;
};

/// Whatever it is left by.
class EndOfRace {
 public:
  explicit EndOfRace(Race& race) : race_(race) {}
  EndOfRace(const EndOfRace&) = delete;
  EndOfRace& operator=(const EndOfRace&) = delete;
  ~EndOfRace() { race_.end(); }

 private:
  Race& race_;
};

Task<Result<std::vector<Endpoint>>> resolve(const std::string& host, std::uint16_t port) {
  constexpr std::string_view kUnix = "unix:";
  if (host.starts_with(kUnix)) {
    co_return std::vector<Endpoint>{
        asio::local::stream_protocol::endpoint(host.substr(kUnix.size()))};
  }
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) co_return std::vector<Endpoint>{tcp::endpoint(address, port)};
  const Executor executor = co_await asio::this_coro::executor;
  asio::ip::basic_resolver<tcp, Executor> resolver(executor);
  const std::string service = std::to_string(port);
  const auto [failure, resolved] = co_await resolver.async_resolve(host, service, kAsTuple);
  if (failure) co_return Error(failure, host);
  std::vector<tcp::endpoint> found;
  for (const auto& entry : resolved) found.push_back(entry.endpoint());
  co_return by_turns(found);
}

}  // namespace

std::vector<Endpoint> by_turns(const std::vector<tcp::endpoint>& endpoints) {
  std::vector<Endpoint> first, second, turns;
  for (const tcp::endpoint& endpoint : endpoints) {
    (endpoint.protocol() == endpoints.front().protocol() ? first : second).push_back(endpoint);
  }
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) turns.push_back(first[i]);
    if (i < second.size()) turns.push_back(second[i]);
  }
  return turns;
}

Task<Result<StreamSocket>> connect_to_first(std::vector<Endpoint> endpoints, DialTimes times) {
  const Clock::time_point deadline = Clock::now() + times.timeout;
  const auto race = std::make_shared<Race>(co_await asio::this_coro::executor);
  const EndOfRace end(*race);
  auto next = endpoints.begin();
  while (!race->winner() && Clock::now() < deadline) {
    const bool more = next != endpoints.end();
    if (more) race->start(*next++);
    if (!more && !race->is_under_way()) break;
    const Clock::time_point patience =
        next == endpoints.end() ? deadline : Clock::now() + times.attempt_delay;
    co_await race->wait_until(std::min(patience, deadline));
  }
  if (race->winner()) co_return std::move(*race->winner());
  const bool failed = !race->is_under_way();
  co_return Error(failed ? race->last_error() : asio::error::timed_out);
}

Task<Result<StreamSocket>> dial(std::string host, std::uint16_t port, DialTimes times) {
  auto endpoints = co_await resolve(host, port);
  if (!endpoints) co_return endpoints.error();
  auto socket = co_await connect_to_first(std::move(*endpoints), times);
  if (!socket) co_return Error(socket.error().code, host);
  co_return socket;
}

}  // namespace livetls
