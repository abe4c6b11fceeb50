// What a core file of a server has in it, written by gdb's gcore, which leaves out what the kernel
// leaves out.

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <latch>
#include <thread>

#include "secrets/memory_search.hpp"
#include "secrets/service.hpp"
#include "support/subprocess.hpp"

namespace livetls {
namespace {

using namespace test;

/// A copy of this process that does something and then waits to be looked at.
class Victim {
 public:
  /// `work` is given a function to call when it is time to look, which does not return.
  explicit Victim(const std::function<void(const std::function<void()>&)>& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe failed");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);  // gcore is not its parent
      try {
        work([&] {
          if (::write(ends[1], "r", 1) == 1) ::pause();
        });
      } catch (const std::exception& error) {
        std::cerr << "the victim failed: " << error.what() << '\n';
      }
      ::_exit(1);
    }
    ::close(ends[1]);
    char ready = 0;
    const bool is_ready = ::read(ends[0], &ready, 1) == 1;
    ::close(ends[0]);
    if (!is_ready) throw std::runtime_error("the victim is not there to be looked at");
  }
  ~Victim() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_;
};

class CoreFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!FreedMemory::can_be_watched()) GTEST_SKIP() << "a sanitizer's process is too large";
  }

  /// Its name, or empty with the test skipped.
  std::string core_of(const Victim& victim) {
    const std::string prefix = (directory / "core").string();
    const auto result = run({"gcore", "-o", prefix, std::to_string(victim.pid())});
    output = result.output;
    return result.exit_code == 0 ? prefix + "." + std::to_string(victim.pid()) : std::string();
  }

  bool may_not_trace() const { return output.find("Operation not permitted") != std::string::npos; }

  KeyFiles files;
  TemporaryDirectory directory;
  std::string output;
};

/// A handshake that waits for the client after the server has signed.
EnginePair begin_handshake(const std::shared_ptr<CertManager>& manager, TlsVersion version) {
  const auto context =
      ClientContext::create({.policy = {.min_version = version, .max_version = version},
                             .insecure_skip_verify = true})
          .value();
  EnginePair engines(
      TlsEngine(context, ServerName::parse("localhost").value()),
      TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 64 << 10);
  engines.client.handshake();
  engines.move_bytes();
  if (engines.server.handshake().next != TlsEngine::Step::Next::need_input ||
      engines.server.output_size() < manager->certificate().chain().front().size()) {
    throw std::runtime_error("the server has not signed");
  }
  return engines;
}

/// Everything that a server may be doing with its keys between two moments of its threads.
void serve_until_looked_at(const KeyFiles& files, const std::function<void()>& look) {
  struct Case {
    KeyType type;
    TlsVersion version;
  };
  std::vector<Case> cases;
  for (const KeyType type : KeyFiles::kTypes) {
    cases.push_back({type, TlsVersion::tls1_3});
    if (type != KeyType::ed25519) cases.push_back({type, TlsVersion::tls1_2});
  }
  std::latch busy(static_cast<std::ptrdiff_t>(cases.size()));
  std::vector<std::jthread> threads;
  for (const Case& now : cases) {
    threads.emplace_back([&files, &busy, now] {
      const auto manager = CertManager::create({.default_identity = load(files.pkcs8(now.type, 1)),
                                                .policy = {.min_version = now.version}})
                               .value();
      connect(manager, files, now.version);
      if (!manager->update(load(files.pkcs8(now.type)))) throw std::runtime_error("no update");
      connect(manager, files, now.version);
      const EnginePair engines = begin_handshake(manager, now.version);
      busy.count_down();
      ::pause();
    });
  }
  busy.wait();
  look();
}

TEST_F(CoreFileTest, HasNoKeyInIt) {
  const Victim victim([&](const auto& look) { serve_until_looked_at(files, look); });
  const std::string core = core_of(victim);
  if (core.empty() && may_not_trace()) GTEST_SKIP() << "processes may not be traced here";
  ASSERT_NE(core, "") << output;
  EXPECT_EQ(search_file(core, files.needles()), "");
}

TEST_F(CoreFileTest, HasWhatIsInOrdinaryMemory) {
  const Victim victim([&](const auto& look) {
    const auto certificate = load(files.pkcs8(KeyType::ecdsa_p256));
    const auto key = certificate.private_key().der();
    const std::vector<std::uint8_t> careless(key.begin(), key.end());
    look();
  });
  const std::string core = core_of(victim);
  if (core.empty() && may_not_trace()) GTEST_SKIP() << "processes may not be traced here";
  ASSERT_NE(core, "") << output;
  EXPECT_NE(search_file(core, files.needles()), "");
}

}  // namespace
}  // namespace livetls
