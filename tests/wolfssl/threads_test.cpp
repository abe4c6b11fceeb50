// The packaged library computes with tables of precomputed points, of each thread its own. Who does
// not free them when a thread ends has lost them.

#include <gtest/gtest.h>

#include <thread>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "support/engine_pair.hpp"
#include "wolfssl/counted_allocations.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

#ifdef FP_ECC
constexpr bool kPointTables = true;
void free_point_tables() { wc_ecc_fp_free(); }
#else
constexpr bool kPointTables = false;
void free_point_tables() {}
#endif

/// Of the bare library: what is made before the threads are is not theirs.
class ThreadsTest : public ::testing::Test {
 protected:
  void handshakes() const {
    for (int i = 0; i < 4; ++i) must(RawPair(client, server).handshake().done(), "a handshake");
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CtxPtr server = server_ctx(authority.issue().value());
  CtxPtr client = client_ctx(TlsVersion::tls1_3, authority.trust_bundle());
};

TEST_F(ThreadsTest, AThreadThatEndsLeavesThePackagedLibrarysPointTables) {
  std::thread([this] { handshakes(); }).join();  // what the process allocates once
  const CountedAllocations allocations;
  std::thread([this] { handshakes(); }).join();
  EXPECT_EQ(allocations.live() > 0, kPointTables);
}

TEST_F(ThreadsTest, OneThatFreesItsTablesLeavesNothing) {
  std::thread([this] { handshakes(); }).join();
  const CountedAllocations allocations;
  std::thread([this] {
    handshakes();
    free_point_tables();
  }).join();
  EXPECT_EQ(allocations.live(), 0);
}

TEST_F(ThreadsTest, LivetlsFreesThemAtTheEndOfEachThread) {
  const auto manager = CertManager::create(authority.issue().value()).value();
  const auto config = std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  const auto context = ClientContext::create({.insecure_skip_verify = true}).value();
  const auto connect = [&] {
    for (int i = 0; i < 4; ++i) {
      EnginePair engines(TlsEngine(context, ServerName::parse("localhost").value()),
                         TlsEngine(config), 4096);
      EXPECT_TRUE(engines.handshake().done());
    }
  };
  std::thread(connect).join();
  const CountedAllocations allocations;
  std::thread(connect).join();
  EXPECT_EQ(allocations.live(), 0);
}

}  // namespace
}  // namespace livetls
