// The server's process reads commands from a pipe, on its first thread: what it does between them
// is rotate.

#include "subject.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <limits>
#include <memory>
#include <stdexcept>

#include "echo.hpp"
#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "livetls/web/files.hpp"
#include "livetls/web/json.hpp"
#include "livetls/web/server.hpp"
#include "livetls/web/websocket.hpp"
#include "load/histogram.hpp"
#include "peers/order.hpp"
#include "staleness.hpp"

namespace livetls::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Command {
  double per_second = 0;
  bool updates = true;
  std::uint64_t at_once = 0;
};

bool slowed = false;

void waste_time() {
  if (!slowed) return;
  const auto end = Clock::now() + std::chrono::milliseconds(1);
  while (Clock::now() < end) {
  }
}

double micros(std::chrono::nanoseconds duration) {
  return 1e-3 * static_cast<double>(duration.count());
}

Task<void> echo_messages(web::WebSocket& socket) {
  bool open = true;
  while (open) {
    auto message = co_await socket.receive();
    open = message.has_value();
    if (open) co_await socket.send(std::move(message->data));
  }
}

class Server {
 public:
  Server(const SubjectOptions& options, const std::vector<Certificate>& certificates)
      : options_(options),
        certificates_(certificates),
        manager_(CertManager::create(first_set(), {.session_tickets = options.tickets}).value()) {
    if (options_.service != Service::echo) {
      https_.emplace(runtime_, manager_, routes());
    } else {
      echo_.emplace(runtime_, manager_, echo);
    }
  }

  std::uint16_t port() const { return https_ ? https_->port() : echo_->port(); }

  void obey(int control);

 private:
  CertSet first_set() const {
    CertSet set{.default_identity = certificates_.front()};
    for (std::size_t i = 1; i < options_.identities; ++i) {
      set.identities.emplace("host" + std::to_string(i) + ".example", certificates_.front());
    }
    if (options_.identities > 1) set.identities.emplace("localhost", certificates_.front());
    return set;
  }

  web::Router routes() {
    web::Router router;
    router.get("/", [this](web::Request& request) {
      if (options_.watches_staleness) {
        const Connection& connection = request.connection();
        staleness_->served(connection.generation(), connection.hello_received_at());
      }
      waste_time();
      return web::Response::text("hello\n");
    });
    router.post("/", [](web::Json<Order> order) { return *order; });
    router.get("/websocket", web::websocket(echo_messages));
    const auto files = options_.directory / "files";
    if (exists(files)) router.get("/files/{path...}", web::serve_files(files));
    return router;
  }

  void rotate();
  Rotations report();
  std::uint64_t failed_handshakes() const {
    return https_ ? https_->counters().failed_handshakes() : echo_->counters().failed_handshakes();
  }

  const SubjectOptions options_;
  const std::vector<Certificate>& certificates_;
  Runtime runtime_{{.threads = options_.threads, .stop_on_signals = false}};
  std::shared_ptr<CertManager> manager_;
  std::unique_ptr<Staleness> staleness_ = std::make_unique<Staleness>();
  std::optional<web::Server> https_;
  std::optional<tcp::Server> echo_;

  std::size_t next_ = 0;
  Histogram updates_;
};

void Server::rotate() {
  next_ = (next_ + 1) % certificates_.size();
  const Certificate& certificate = certificates_[next_];
  const auto begin = Clock::now();
  const Receipt receipt = (options_.identities > 1 ? manager_->set("localhost", certificate)
                                                   : manager_->update(certificate))
                              .value();
  updates_.record(Clock::now() - begin);
  staleness_->update_returned(receipt.generation);
}

Rotations Server::report() {
  const Rotations report{.updates = updates_.count(),
                         .update_p50_us = micros(updates_.percentile(50)),
                         .update_p99_us = micros(updates_.percentile(99)),
                         .update_max_us = micros(updates_.max()),
                         .stale = staleness_->stale(),
                         .first_new_us = 1e-3 * static_cast<double>(staleness_->first_new_ns()),
                         .failed_handshakes = failed_handshakes()};
  updates_.clear();
  return report;
}

void Server::obey(int control) {
  runtime_.start();
  Command command;
  Clock::time_point due = Clock::time_point::max();
  for (;;) {
    timespec timeout{3600, 0};
    if (command.per_second > 0) {
      const auto left =
          std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(due - Clock::now()));
      timeout = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    }
    pollfd ready{control, POLLIN, 0};
    if (ppoll(&ready, 1, &timeout, nullptr) > 0) {
      const Rotations done = report();
      if (::write(control, &done, sizeof done) != sizeof done) return;
      if (::read(control, &command, sizeof command) != sizeof command) return;
      for (std::uint64_t i = 0; i < command.at_once; ++i) rotate();
      due = Clock::now();
    } else if (command.per_second > 0) {
      if (command.updates) rotate();
      due += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(1 / command.per_second));
    }
  }
}

Rotations tell(int control, const Command& command) {
  Rotations before;
  if (::write(control, &command, sizeof command) != sizeof command ||
      ::read(control, &before, sizeof before) != sizeof before) {
    throw std::runtime_error("the server has ended");
  }
  return before;
}

}  // namespace

void slow_down_subjects() { slowed = true; }

Subject::Subject(const SubjectOptions& options, const std::vector<Certificate>& certificates) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("no socket pair");
  }
  process_ = std::make_unique<ServerProcess>(
      ServerProcess::fork_of(options.pinned ? 0 : kAnyProcessor, [&](const auto& listening) {
        ::close(ends[0]);
        Server server(options, certificates);
        listening(server.port());
        server.obey(ends[1]);
      }));
  ::close(ends[1]);
  control_ = ends[0];
}

Subject::~Subject() { ::close(control_); }

void Subject::rotate(double per_second) { tell(control_, {.per_second = per_second}); }

void Subject::only_wake(double per_second) {
  tell(control_, {.per_second = per_second, .updates = false});
}

Rotations Subject::stop_rotating() { return tell(control_, {}); }

Rotations Subject::rotate_at_once(std::uint64_t updates) {
  tell(control_, {.at_once = updates});
  return tell(control_, {});
}

}  // namespace livetls::bench
