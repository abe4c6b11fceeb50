#include "livetls/web/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "http_date.hpp"
#include "response_head.hpp"

namespace livetls::web {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string head(const Response& response, std::string_view connection = "") {
  std::string out;
  append_head(out, response, Framing::length, connection);
  return out;
}

TEST(Response, TextAndJsonSayWhatTheyAre) {
  const Response text = Response::text("hello", 201);
  EXPECT_EQ(text.status_code, 201);
  EXPECT_EQ(text.body, "hello");
  EXPECT_EQ(text.headers["content-type"], "text/plain; charset=utf-8");

  const Response json = Response::json({{"ok", true}, {"list", {1, 2}}});
  EXPECT_EQ(json.status_code, 200);
  EXPECT_EQ(json.body, R"({"ok":true,"list":[1,2]})");
  EXPECT_EQ(json.headers["content-type"], "application/json");
}

TEST(Response, AStatusFrom400OnHasItsNameAsText) {
  EXPECT_EQ(Response::status(404).body, "Not Found\n");
  EXPECT_EQ(Response::status(204).body, "");
  EXPECT_TRUE(Response::status(204).headers.empty());
}

TEST(ResponseHead, HasStatusLineFieldsDateAndLength) {
  Response response = Response::text("hello");
  response.headers.set("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(head(response, "close"),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Length: 5\r\n"
            "Connection: close\r\n"
            "\r\n");
}

TEST(ResponseHead, AddsADateOfItsOwn) {
  EXPECT_THAT(head(Response::text("")), testing::ContainsRegex("\r\nDate: [A-Z].* GMT\r\n"));
}

TEST(ResponseHead, AnEmptyBodyHasALengthAndA204Or304HasNone) {
  EXPECT_THAT(head(Response::status(200)), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(head(Response::status(204)), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head(Response::status(304)), Not(HasSubstr("Content-Length")));
}

TEST(ResponseHead, AStatusWithoutANameKeepsItsSpace) {
  EXPECT_THAT(head({299, {}, {}}), testing::StartsWith("HTTP/1.1 299 \r\n"));
}

TEST(ResponseHead, ReplacesTheHandlersConnectionField) {
  Response response = Response::status(200);
  response.headers.set("cONNECTION", "close");
  EXPECT_THAT(head(response, "close"), Not(HasSubstr("cONNECTION")));
}

TEST(ResponseHead, KnowsWhatCannotBeSent) {
  EXPECT_EQ(unsendable(Response::status(200)), "");
  EXPECT_NE(unsendable(Response::status(101)), "");
  EXPECT_NE(unsendable(Response::status(600)), "");
  Response framed = Response::status(200);
  framed.headers.set("content-length", "7");
  EXPECT_NE(unsendable(framed), "");
  Response coded = Response::status(200);
  coded.headers.set("Transfer-Encoding", "chunked");
  EXPECT_NE(unsendable(coded), "");
}

TEST(HttpDate, IsThatOfRfc9110) {
  using namespace std::chrono;
  EXPECT_EQ(http_date(sys_seconds(784111777s)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(sys_seconds(784111778s)), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(http_date(sys_seconds(0s)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace livetls::web
