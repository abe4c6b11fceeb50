#include "livetls/web/middleware/gzip.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "livetls/web/testing.hpp"

namespace livetls::web {
namespace {

const std::string kText(10'000, 'x');

Router compressing(Response response, GzipOptions options = {}) {
  Router router;
  router.use(gzip(options));
  router.get("/", [response = std::move(response)] { return response; });
  return router;
}

Response get_with(const Router& router, const char* accept) {
  TestClient client(router);
  client.headers.set("Accept-Encoding", accept);
  return client.get("/");
}

std::string inflated(const std::string& compressed, std::size_t size) {
  std::string text(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

bool is_compressed(const Response& response) {
  return response.headers["Content-Encoding"] == "gzip";
}

TEST(Gzip, CompressesForThoseWhoTakeIt) {
  const Router router = compressing(Response::text(kText));
  for (const char* accept : {"gzip", "deflate, gzip;q=0.5, br", "*", "GZIP", "br;q=1 , gzip ; q=1",
                             "identity;q=0, *;q=0.1"}) {
    const Response response = get_with(router, accept);
    ASSERT_TRUE(is_compressed(response)) << accept;
    EXPECT_EQ(inflated(response.body, kText.size()), kText);
    EXPECT_EQ(response.headers["Vary"], "Accept-Encoding");
  }
  for (const char* accept :
       {"", "deflate", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzip;q=x", "xgzip", "identity"}) {
    const Response response = get_with(router, accept);
    EXPECT_FALSE(is_compressed(response)) << accept;
    EXPECT_EQ(response.body, kText);
    EXPECT_EQ(response.headers["Vary"], "Accept-Encoding") << "another client gets another body";
  }
}

TEST(Gzip, LeavesAloneWhatGainsNothing) {
  EXPECT_FALSE(is_compressed(get_with(compressing(Response::text("short")), "gzip")));
  for (const auto& [name, value] :
       {std::pair("Content-Type", "image/png"), std::pair("Content-Encoding", "br"),
        std::pair("Cache-Control", "public, no-transform"),
        std::pair("Content-Range", "bytes 0-9999/20000")}) {
    Response response = Response::text(kText);
    response.headers.set(name, value);
    EXPECT_EQ(get_with(compressing(response), "gzip").body, kText) << name;
  }
}

TEST(Gzip, WeakensWhatNamesTheBytes) {
  Response response = Response::text(kText);
  response.headers.set("ETag", "\"a\"");
  EXPECT_EQ(get_with(compressing(response), "gzip").headers["ETag"], "W/\"a\"");
  EXPECT_EQ(get_with(compressing(response), "br").headers["ETag"], "\"a\"");
}

}  // namespace
}  // namespace livetls::web
