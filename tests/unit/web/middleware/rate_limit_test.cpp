#include "livetls/web/middleware/rate_limit.hpp"

#include <gtest/gtest.h>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

using namespace std::chrono_literals;

class RateLimitTest : public testing::Test {
 protected:
  Router limited(std::size_t max_keys = 100) {
    Router router;
    router.use(rate_limit({.per_second = 2,
                           .burst = 3,
                           .key = [](const Request& r) { return std::string(r.headers["Key"]); },
                           .max_keys = max_keys,
                           .now = [this] { return now_; }}));
    router.get("/", [] { return "hello"; });
    return router;
  }

  static Response get(const Router& router, const char* key) {
    TestClient client(router);
    client.headers.set("Key", key);
    return client.get("/");
  }

  std::chrono::steady_clock::time_point now_{1h};
};

TEST_F(RateLimitTest, AllowsABurstAndThenItsRate) {
  const Router router = limited();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(router, "a").status_code, 200);
  const Response refused = get(router, "a");
  EXPECT_EQ(refused.status_code, 429);
  EXPECT_EQ(refused.headers["Retry-After"], "1");
  now_ += 499ms;
  EXPECT_EQ(get(router, "a").status_code, 429);
  now_ += 1ms;
  EXPECT_EQ(get(router, "a").status_code, 200);
  EXPECT_EQ(get(router, "a").status_code, 429);
  now_ += 1h;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(router, "a").status_code, 200);
  EXPECT_EQ(get(router, "a").status_code, 429);
}

TEST_F(RateLimitTest, CountsEachKeyByItself) {
  const Router router = limited();
  for (int i = 0; i < 4; ++i) get(router, "a");
  EXPECT_EQ(get(router, "a").status_code, 429);
  EXPECT_EQ(get(router, "b").status_code, 200);
}

TEST_F(RateLimitTest, ForgetsThoseNotSeenForLongest) {
  const Router router = limited(2);
  for (int i = 0; i < 4; ++i) get(router, "a");
  get(router, "b");
  EXPECT_EQ(get(router, "a").status_code, 429);  // now it was seen last
  get(router, "c");                              // b is forgotten
  EXPECT_EQ(get(router, "a").status_code, 429);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(router, "b").status_code, 200);
}

TEST_F(RateLimitTest, RefusesOptionsThatLetNobodyPass) {
  EXPECT_THROW(rate_limit({.per_second = 0}), std::invalid_argument);
  EXPECT_THROW(rate_limit({.burst = 0.5}), std::invalid_argument);
  EXPECT_THROW(rate_limit({.max_keys = 0}), std::invalid_argument);
}

}  // namespace
}  // namespace livetls::web
