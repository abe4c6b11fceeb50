#include "serve.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "livetls/async/task_group.hpp"
#include "pem_file.hpp"
#include "servers.hpp"

namespace livetls::demo {
namespace {

namespace asio = boost::asio;

void rotate(Servers& servers) {
  servers.rotate();
  const Certificate certificate = servers.manager().certificate();
  std::printf("generation %llu: %s, SHA-256 %s\n",
              static_cast<unsigned long long>(servers.manager().generation()),
              std::string(to_string(certificate.leaf().key_type)).c_str(),
              to_hex(certificate.leaf().fingerprint).c_str());
  std::fflush(stdout);
}

/// Waits for Enter on the runtime's first thread, where SIGHUP is handled, too.
class EnterKey final : public Service {
 public:
  EnterKey(Runtime& runtime, Servers& servers)
      : runtime_(runtime),
        servers_(servers),
        input_(runtime.executor(0), ::dup(STDIN_FILENO)),
        waiting_(runtime.executor(0)) {
    runtime_.add(*this);
    waiting_.spawn(wait());
  }

  ~EnterKey() override { runtime_.remove(*this); }

  Task<void> stop(std::chrono::steady_clock::duration) override {
    input_.close();
    co_await waiting_.wait();
  }

 private:
  Task<void> wait() {
    std::string line;
    for (;;) {
      const auto [error, size] = co_await asio::async_read_until(input_, asio::dynamic_buffer(line),
                                                                 '\n', asio::as_tuple(use_task));
      if (error) co_return;
      line.erase(0, size);
      rotate(servers_);
    }
  }

  Runtime& runtime_;
  Servers& servers_;
  asio::posix::basic_stream_descriptor<Executor> input_;
  TaskGroup waiting_;
};

void print_what_to_try(const Servers& servers, const std::string& ca_file) {
  std::printf(
      "Both servers share one CertManager. Enter, or kill -HUP %d, rotates it; Ctrl-C stops.\n\n"
      "  curl --cacert %s https://localhost:%u/served\n"
      "  openssl s_client -quiet -verify_return_error -CAfile %s -connect localhost:%u\n\n",
      ::getpid(), ca_file.c_str(), servers.https_port(), ca_file.c_str(), servers.tcp_port());
  std::fflush(stdout);
}

}  // namespace

int serve(const ServeOptions& options) {
  Runtime runtime({.threads = options.threads});
  Servers servers(runtime, Certificates({}), options.https_port, options.tcp_port);
  const PemFile ca(servers.root_pem());
  const EnterKey enter(runtime, servers);
  runtime.on_signal(SIGHUP, [&servers] { rotate(servers); });
  print_what_to_try(servers, ca.path());
  runtime.run();
  return 0;
}

}  // namespace livetls::demo
