// What Beast writes over a TlsStream.

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>

#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;
namespace http = boost::beast::http;

TEST_F(TlsStreamTest, BeastWritesHttpOverIt) {
  Ends ends = connected({.chunk = 13});
  http::request<http::empty_body> request(http::verb::get, "/path", 11);
  request.set(http::field::host, "localhost");
  std::optional<SizedAnswer> written, read;
  http::async_write(ends.client, request, into(written));
  const std::string expected = "GET /path HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string received(expected.size(), '\0');
  asio::async_read(ends.server, asio::buffer(received), into(read));
  run();
  ASSERT_TRUE(written && read);
  EXPECT_FALSE(written->error);
  EXPECT_FALSE(read->error) << read->error.message();
  EXPECT_EQ(received, expected);
}

}  // namespace
}  // namespace livetls
