// The library judges an OCSP response by its own clock, which can be set.

#include <gtest/gtest.h>

#include <atomic>

#include "livetls/net/listener.hpp"
#include "support/openssl_ca.hpp"
#include "support/running_runtime.hpp"
#include "support/tell_what_is_served.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

std::atomic<time_t> ahead = 0;

time_t library_time(time_t* also_into) {
  const time_t now = ::time(nullptr) + ahead;
  if (also_into != nullptr) *also_into = now;
  return now;
}

class LibraryTime {
 public:
  LibraryTime() { wc_SetTimeCb(library_time); }
  ~LibraryTime() {
    ahead = 0;
    wc_SetTimeCb(nullptr);
  }
};

/// The time of the client, openssl's, stays what it is.
TEST(StaplesTest, OneThatHasBecomeStaleIsLeftOutAndTheHandshakeGoesOn) {
  const LibraryTime time;
  test::OpensslCa ca;
  const Certificate certificate = ca.issue();
  const auto manager = CertManager::create(certificate).value();
  ASSERT_TRUE(manager->staple(test::as_bytes(ca.answer_about(certificate))));
  test::RunningRuntime runtime;
  Listener listener(runtime, manager, test::tell_what_is_served, {.address = "127.0.0.1"});

  const auto expect_staple = [&](bool wanted) {
    for (const std::string version : {"-tls1_2", "-tls1_3"}) {
      const std::string output =
          test::run_shell("/", "echo | openssl s_client -status " + version +
                                   " -connect 127.0.0.1:" + std::to_string(listener.port()) +
                                   " -servername localhost -verify_return_error -CAfile " +
                                   ca.root_file())
              .output;
      EXPECT_NE(output.find("Verification: OK"), std::string::npos) << version << '\n' << output;
      EXPECT_EQ(output.find("Cert Status: good") != std::string::npos, wanted) << version;
      EXPECT_EQ(output.find("no response sent") == std::string::npos, wanted) << version;
    }
  };
  expect_staple(true);
  ahead = 2 * 3600;  // the response is good for one hour
  expect_staple(false);

  // Nor does it stand in the way of a context that has to be built again.
  CertSet stricter{.default_identity = manager->certificate(),
                   .policy = {.max_version = TlsVersion::tls1_2}};
  ASSERT_TRUE(stricter.default_identity.certificates[0].staple());
  EXPECT_TRUE(manager->update(stricter));
}

}  // namespace
}  // namespace livetls
