// One thread, one epoll, a fixed number of connections. In a closed loop each begins its next
// operation when the last is done; at a fixed rate, operations are begun when they are due, on the
// first connection that is free, and what waits for one counts as latency.

#include "load.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <ctime>
#include <stdexcept>
#include <utility>

#include "client.hpp"

namespace livetls::bench {
namespace {

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

double micros(Clock::duration duration) { return 1e6 * seconds(duration); }

double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class Epoll {
 public:
  Epoll() : fd(epoll_create1(EPOLL_CLOEXEC)) {
    if (fd < 0) throw std::runtime_error("no epoll");
  }
  ~Epoll() { ::close(fd); }
  const int fd;
};

class Load {
 public:
  explicit Load(const LoadOptions& options) : options_(options) {
    for (std::size_t i = 0; i < options.connections; ++i) {
      clients_.push_back(std::make_unique<Client>(options_, epoll_.fd));
      free_.push_back(clients_.back().get());
    }
  }

  LoadResult run();

 private:
  static constexpr auto kPauseAfterFailure = std::chrono::milliseconds(10);
  static constexpr auto kPatience = std::chrono::seconds(5);  // while no operation begins or ends

  bool begins_more(Clock::time_point now) const {
    return begun_ < options_.operations && now < end_ && !(options_.is_over && options_.is_over());
  }
  std::size_t under_way() const { return clients_.size() - free_.size() - pausing_.size(); }
  void begin_what_is_due(Clock::time_point now);
  bool wait();
  void handle(Client& client, Client::State state);
  void count(const Client& client, bool good);
  void end_interval(Clock::time_point now);
  std::uint64_t owed(Clock::time_point now) const;

  LoadOptions options_;
  Epoll epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Client*> free_;
  std::vector<std::pair<Clock::time_point, Client*>> pausing_;
  std::uint64_t begun_ = 0;
  Clock::time_point end_;
  Clock::time_point last_event_;
  Clock::time_point interval_begin_;
  Histogram in_interval_;
  LoadResult result_;
};

LoadResult Load::run() {
  const double cpu = thread_cpu_seconds();
  result_.began = interval_begin_ = last_event_ = Clock::now();
  end_ = result_.began + options_.duration;
  Clock::time_point now = result_.began;
  Clock::duration polling{};
  while (begins_more(now) || under_way() > 0) {
    if (under_way() > 0 && now > last_event_ + kPatience) break;
    begin_what_is_due(now);
    const bool any = wait();
    const auto before = std::exchange(now, Clock::now());
    if (options_.polls && !any) polling += now - before;
    if (now - interval_begin_ >= options_.interval) end_interval(now);
  }
  result_.seconds = seconds(now - result_.began);
  result_.owed = owed(now);
  for (const auto& client : clients_) {
    if (!client->is_busy()) continue;
    ++result_.failed;
    ++result_.failures["no answer"];
  }
  result_.busy = options_.polls ? 1 - seconds(polling) / result_.seconds
                                : (thread_cpu_seconds() - cpu) / result_.seconds;
  return std::move(result_);
}

void Load::begin_what_is_due(Clock::time_point now) {
  while (!pausing_.empty() && pausing_.front().first <= now) {
    free_.push_back(pausing_.front().second);
    pausing_.erase(pausing_.begin());
  }
  while (!free_.empty() && begins_more(now)) {
    Clock::time_point intended = now;
    if (options_.rate > 0) {
      const std::chrono::duration<double> after(static_cast<double>(begun_) / options_.rate);
      intended = result_.began + std::chrono::duration_cast<Clock::duration>(after);
      if (intended > now) return;
    }
    Client& client = *free_.back();
    free_.pop_back();
    ++begun_;
    last_event_ = now;
    handle(client, client.begin(intended));
  }
}

/// False where nothing had happened.
bool Load::wait() {
  std::array<epoll_event, 256> events;
  const auto next = options_.polls      ? std::chrono::microseconds(0)
                    : options_.rate > 0 ? std::chrono::microseconds(200)
                                        : std::chrono::milliseconds(5);
  const timespec timeout{0, std::chrono::nanoseconds(next).count()};
  const int count = epoll_pwait2(epoll_.fd, events.data(), events.size(), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    auto& client = *static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (client.is_busy()) {
      handle(client, client.proceed());
    } else {
      client.drop();  // the server has ended a connection that was kept
    }
  }
  return count > 0;
}

void Load::handle(Client& client, Client::State state) {
  if (state == Client::State::done) {
    count(client, true);
    state = options_.mode == LoadMode::handshakes ? client.close() : Client::State::idle;
  }
  if (state == Client::State::failed) {
    count(client, false);
    pausing_.emplace_back(Clock::now() + kPauseAfterFailure, &client);
  }
  if (state == Client::State::idle) free_.push_back(&client);
}

void Load::count(const Client& client, bool good) {
  last_event_ = Clock::now();
  if (const auto& handshake = client.handshake()) {
    ++result_.handshakes;
    if (client.resumed()) ++result_.resumed;
    if (options_.on_handshake) options_.on_handshake(*handshake);
  }
  if (good) {
    const auto took = Clock::now() - client.intended();
    ++result_.operations;
    result_.latency.record(took);
    in_interval_.record(took);
  } else {
    ++result_.failed;
    ++result_.failures[client.failure()];
  }
}

void Load::end_interval(Clock::time_point now) {
  result_.intervals.push_back({seconds(interval_begin_ - result_.began), in_interval_.count(),
                               micros(in_interval_.percentile(99))});
  in_interval_.clear();
  interval_begin_ = now;
}

/// Those due in the last millisecond may still have been about to begin.
std::uint64_t Load::owed(Clock::time_point now) const {
  if (options_.rate <= 0) return 0;
  const double passed = seconds(std::min(now, end_) - result_.began - std::chrono::milliseconds(1));
  const auto due = static_cast<std::uint64_t>(options_.rate * std::max(passed, 0.0));
  return std::max(begun_, std::min(due, options_.operations)) - begun_;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void LoadResult::add(const LoadResult& other) {
  latency.add(other.latency);
  operations += other.operations;
  handshakes += other.handshakes;
  resumed += other.resumed;
  failed += other.failed;
  owed += other.owed;
  for (const auto& [reason, count] : other.failures) failures[reason] += count;
  seconds = std::max(seconds, other.seconds);
  busy = std::max(busy, other.busy);
  for (std::size_t i = 0; i < std::min(intervals.size(), other.intervals.size()); ++i) {
    intervals[i].operations += other.intervals[i].operations;
    intervals[i].p99_us = std::max(intervals[i].p99_us, other.intervals[i].p99_us);
  }
}

LoadResult run_load(const LoadOptions& options) {
  if (options.mode == LoadMode::requests && options.path.empty()) {
    throw std::invalid_argument("requests need a path");
  }
  return Load(options).run();
}

class IdleConnections::Impl {
 public:
  explicit Impl(LoadOptions options) : options_(std::move(options)) {
    options_.path.clear();
    options_.mode = LoadMode::handshakes;
    for (std::size_t i = 0; i < options_.connections; ++i) open();
  }

 private:
  void open() {
    clients_.push_back(std::make_unique<Client>(options_, epoll_.fd));
    Client& client = *clients_.back();
    Client::State state = client.begin(Clock::now());
    while (state == Client::State::waiting) {
      epoll_event event{};
      epoll_wait(epoll_.fd, &event, 1, 1000);
      state = client.proceed();
    }
    if (state == Client::State::failed) throw std::runtime_error("idle: " + client.failure());
  }

  LoadOptions options_;
  Epoll epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
};

IdleConnections::IdleConnections(LoadOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

IdleConnections::~IdleConnections() = default;

}  // namespace livetls::bench
