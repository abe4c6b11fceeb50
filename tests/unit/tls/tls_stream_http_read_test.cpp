// What Beast reads over a TlsStream. Apart from what it writes, since each takes a compiler much
// memory.

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "unit/tls/tls_stream_test.hpp"

namespace livetls {
namespace {

using namespace test;
namespace http = boost::beast::http;

TEST_F(TlsStreamTest, BeastReadsHttpOverIt) {
  Ends ends = connected({.chunk = 13});
  write(ends.server, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\na body");
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> received;
  std::optional<SizedAnswer> read;
  http::async_read(ends.client, buffer, received, into(read));
  run();
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->error) << read->error.message();
  EXPECT_EQ(received.body(), "a body");

  // Where the stream ends without close_notify, no reader may take the message for complete.
  http::response<http::string_body> cut;
  read.reset();
  write(ends.server, "HTTP/1.1 200 OK\r\n\r\nhalf of");
  http::async_read(ends.client, buffer, cut, into(read));
  poll();
  ends.server.next_layer().close();
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error, Errc::stream_truncated);
}

}  // namespace
}  // namespace livetls
