// Requests on connections that are kept, while a server drains them.

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <future>
#include <set>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/server.hpp"
#include "load/load.hpp"
#include "support/eventually.hpp"
#include "support/running_runtime.hpp"
#include "tls/load_client.hpp"

namespace livetls::bench {
namespace {

using namespace std::chrono_literals;

TEST(DrainUnderLoad, LosesNoRequestOfAClientThatObeysConnectionClose) {
  test::RunningRuntime runtime;
  const auto authority = CertificateAuthority::create().value();
  Certificate current = authority.issue().value();
  const auto manager = CertManager::create(current).value();
  web::Router router;
  router.get("/", [] { return "hello\n"; });
  web::Server server(runtime, manager, router);

  constexpr int kDrains = 10;
  LoadOptions load;
  load.target = {boost::asio::ip::address_v4::loopback(), server.port()};
  load.client = make_load_client({}, KeyExchange::x25519);
  load.mode = LoadMode::requests;
  load.connections = 4;
  load.duration = 1h;
  std::atomic<bool> drained = false;
  std::set<std::uint64_t> certificates;
  load.on_handshake = [&](const Sighting& seen) { certificates.insert(seen.certificate); };
  load.is_over = [&] { return drained.load(); };
  auto result = std::async(std::launch::async, [&] { return run_load(load); });

  const auto all_connected = [&](std::uint64_t times) {
    return test::eventually(
        [&] { return server.counters().handshakes >= times * load.connections; });
  };
  EXPECT_TRUE(all_connected(1));
  for (int i = 0; i < kDrains; ++i) {
    const Certificate fresh = authority.issue().value();
    const Revocation revocation =
        manager->revoke(current, {.replacement = fresh, .spread = 0s}).value();
    revocation.async_finished(20s, boost::asio::use_future).get();
    current = fresh;
    EXPECT_TRUE(all_connected(static_cast<std::uint64_t>(i) + 2));
  }
  drained = true;
  const LoadResult loaded = result.get();
  EXPECT_EQ(loaded.failed, 0U) << (loaded.failed > 0 ? loaded.failures.begin()->first : "");
  EXPECT_EQ(certificates.size(), kDrains + 1U) << "all were ended and made anew each time";
}

}  // namespace
}  // namespace livetls::bench
