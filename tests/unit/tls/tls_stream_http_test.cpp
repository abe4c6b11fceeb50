#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;
namespace http = boost::beast::http;

TEST_F(TlsStreamTest, BeastReadsAndWritesHttpOverIt) {
  Ends ends = connected({.chunk = 13});
  http::request<http::string_body> request(http::verb::post, "/path", 11, "a body");
  request.prepare_payload();
  std::optional<SizedAnswer> written, read;
  http::async_write(ends.client, request, into(written));
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> received;
  http::async_read(ends.server, buffer, received, into(read));
  run();
  ASSERT_TRUE(written && read);
  EXPECT_FALSE(written->error);
  EXPECT_FALSE(read->error) << read->error.message();
  EXPECT_EQ(received.target(), "/path");
  EXPECT_EQ(received.body(), "a body");

  // Where the stream ends without close_notify, no reader may take the message for complete.
  http::response<http::string_body> open_ended(http::status::ok, 11, "half of");
  http::response<http::string_body> cut;
  written.reset();
  read.reset();
  http::async_write(ends.server, open_ended, into(written));
  http::async_read(ends.client, buffer, cut, into(read));
  poll();
  ends.server.next_layer().close();
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, Errc::stream_truncated);
}

/// Nobody could catch it: it is in the completion of a read.

}  // namespace
}  // namespace livetls
