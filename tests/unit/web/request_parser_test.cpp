#include "request_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace livetls::web {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxHeader = 1024;
constexpr std::size_t kMaxFields = 50;
constexpr std::size_t kMaxBody = 100;

struct Parsed {
  Request request;
  int refusal = 0;
  bool complete = false;
  bool expects_continue = false;
  std::size_t taken = 0;
};

/// As the session does it: what the parser leaves is there again with the next bytes behind it.
Parsed parse(std::string_view input, std::size_t chunk = std::string_view::npos) {
  Parsed result;
  RequestParser parser(result.request, kMaxHeader, kMaxFields);
  std::size_t arrived = 0;
  std::size_t taken = 0;
  do {
    if (taken == 0) arrived += std::min(chunk, input.size() - arrived);
    // A copy of exactly these bytes, so that a sanitizer sees a read behind them.
    const std::string bytes(input.substr(result.taken, arrived - result.taken));
    taken = bytes.empty() ? 0 : parser.take(asio::buffer(bytes));
    result.taken += taken;
    if (parser.header_is_complete()) parser.body_goes_to(result.request.body, kMaxBody);
    result.complete = parser.is_complete();
    result.refusal = parser.refusal();
  } while (!result.complete && result.refusal == 0 && (taken > 0 || arrived < input.size()));
  result.expects_continue = parser.expects_continue();
  return result;
}

/// The same, cut at these places.
Parsed parse_cut(std::string_view input, std::vector<std::size_t> cuts) {
  Parsed result;
  RequestParser parser(result.request, kMaxHeader, kMaxFields);
  cuts.push_back(input.size());
  for (const std::size_t arrived : cuts) {
    std::size_t taken = 0;
    do {
      const std::string bytes(input.substr(result.taken, arrived - result.taken));
      taken = bytes.empty() ? 0 : parser.take(asio::buffer(bytes));
      result.taken += taken;
      if (parser.header_is_complete()) parser.body_goes_to(result.request.body, kMaxBody);
    } while (taken > 0);
  }
  result.complete = parser.is_complete();
  result.refusal = parser.refusal();
  return result;
}

/// A request line and Host with these fields and this body.
std::string request(std::string_view fields, std::string_view body = "") {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

int refusal(std::string_view input) { return parse(input).refusal; }

TEST(RequestParser, FillsTheRequestWhateverTheChunks) {
  const std::string text =
      "POST /a%20b?c=d HTTP/1.1\r\nHost: example.com:8443\r\nX-Y:  z w \r\nEmpty:\r\n"
      "Content-Length: 5\r\n\r\nhelloGET /next";
  for (const std::size_t chunk : {1UL, 5UL, 13UL, 64UL, 1024UL}) {
    const Parsed parsed = parse(text, chunk);
    ASSERT_TRUE(parsed.complete) << chunk << ' ' << parsed.refusal;
    EXPECT_EQ(parsed.request.method, Method::post);
    EXPECT_EQ(parsed.request.method_text, "POST");
    EXPECT_EQ(parsed.request.target, "/a%20b?c=d");
    EXPECT_EQ(parsed.request.headers["host"], "example.com:8443");
    EXPECT_EQ(parsed.request.headers["x-y"], "z w");
    EXPECT_EQ(parsed.request.headers.find("empty"), "");
    EXPECT_EQ(parsed.request.body, "hello");
    EXPECT_TRUE(parsed.request.keep_alive);
    EXPECT_EQ(text.substr(parsed.taken), "GET /next") << "pipelined bytes stay";
  }
}

/// Beast's own parser aborts on "0\r\n", "\r", "\n".
TEST(RequestParser, ReadsEmptyChunkedBodiesHoweverTheyCome) {
  for (const std::string last :
       {"0\r\n\r\n", "000\r\n\r\n", "0;a=b\r\n\r\n", "0\r\nA: b\r\n\r\n"}) {
    const std::string text = request("Transfer-Encoding: chunked\r\n", last);
    for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
      const Parsed parsed = parse(text, chunk);
      EXPECT_TRUE(parsed.complete) << last << " in pieces of " << chunk;
      EXPECT_EQ(parsed.request.body, "");
      EXPECT_EQ(parsed.taken, text.size());
    }
    const std::size_t header = text.size() - last.size();
    for (std::size_t first = 0; first < last.size(); ++first) {  // and in any three pieces
      for (std::size_t second = first; second < last.size(); ++second) {
        const Parsed parsed = parse_cut(text, {header, header + first, header + second});
        EXPECT_TRUE(parsed.complete) << last << ' ' << first << ' ' << second;
      }
    }
  }
}

TEST(RequestParser, ReadsChunkedBodiesWhateverTheChunks) {
  const std::string text =
      request("Transfer-Encoding: Chunked\r\n", "5;name=value\r\nhello\r\n1\r\n!\r\n0\r\n\r\nrest");
  for (const std::size_t chunk : {1UL, 5UL, 13UL, 64UL, 1024UL}) {
    const Parsed parsed = parse(text, chunk);
    ASSERT_TRUE(parsed.complete) << chunk << ' ' << parsed.refusal;
    EXPECT_EQ(parsed.request.body, "hello!");
    EXPECT_EQ(text.substr(parsed.taken), "rest");
  }
}

TEST(RequestParser, DropsTrailers) {
  const Parsed parsed =
      parse(request("Transfer-Encoding: chunked\r\n", "0\r\nHost: evil\r\nX-Admin: yes\r\n\r\n"));
  ASSERT_TRUE(parsed.complete) << parsed.refusal;
  EXPECT_EQ(parsed.request.headers["host"], "h");
  EXPECT_FALSE(parsed.request.headers.contains("x-admin"));
}

TEST(RequestParser, KnowsWhetherTheConnectionStays) {
  EXPECT_TRUE(parse("GET / HTTP/1.1\r\nHost: h\r\n\r\n").request.keep_alive);
  EXPECT_FALSE(
      parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n").request.keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n").request.keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").request.keep_alive);
}

TEST(RequestParser, ExpectsContinue) {
  const Parsed parsed = parse(request("Content-Length: 5\r\nExpect: 100-Continue\r\n"));
  EXPECT_TRUE(parsed.expects_continue);
  EXPECT_EQ(parsed.refusal, 0);
  EXPECT_FALSE(parse("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
                   .expects_continue);
  EXPECT_EQ(refusal(request("Expect: more\r\n")), 417);
}

TEST(RequestParser, TakesTheLocalPartOfAnAbsoluteUri) {
  const Parsed parsed = parse("GET HTTP://h:1/a?b HTTP/1.1\r\nHost: H:1\r\n\r\n");
  ASSERT_TRUE(parsed.complete) << parsed.refusal;
  EXPECT_EQ(parsed.request.target, "/a?b");
  EXPECT_EQ(parse("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").request.target, "/");
  EXPECT_EQ(parse("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").request.target, "/?q");
  EXPECT_EQ(refusal("GET http://h/ HTTP/1.1\r\nHost: other\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://user@h/ HTTP/1.1\r\nHost: user@h\r\n\r\n"), 400);
}

TEST(RequestParser, MethodsAreCaseSensitive) {
  EXPECT_EQ(parse("get / HTTP/1.1\r\nHost: h\r\n\r\n").request.method, Method::other);
  EXPECT_EQ(parse("BREW / HTTP/1.1\r\nHost: h\r\n\r\n").request.method_text, "BREW");
}

// ---- What is no request ------------------------------------------------------------------------

TEST(RequestParser, RefusesMalformedRequestLines) {
  for (const char* line :
       {"GET", "GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET /\tHTTP/1.1",
        "G@T / HTTP/1.1", "GET / HTTP/1", "GET / HTTP/a.b", "GET / http/1.1", "GET / FTP/1.1",
        "GET a HTTP/1.1", "GET * HTTP/1.1", "GET /a#b HTTP/1.1", "CONNECT h:443 HTTP/1.1"}) {
    EXPECT_EQ(refusal(line + std::string("\r\nHost: h\r\n\r\n")), 400) << line;
  }
  EXPECT_EQ(refusal("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), 0);
}

TEST(RequestParser, RefusesOtherVersionsByName) {
  for (const char* version : {"0.9", "1.2", "2.0", "3.0"}) {
    EXPECT_EQ(refusal("GET / HTTP/" + std::string(version) + "\r\nHost: h\r\n\r\n"), 505);
  }
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(RequestParser, RefusesTargetsThatCannotBeDecodedOrLeadOut) {
  for (const char* target : {"/%", "/%4", "/%zz", "/%00", "/?q=%", "/?%00", "/..", "/a/../b", "/.",
                             "/%2e%2e/a", "/a/%2E%2e", "/a%2f..%2fb", "/a/.?b", "/%ff", "/\xff",
                             "/%c0%ae", "/?q=%ff", "/%ed%a0%80"}) {
    EXPECT_EQ(refusal("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n"), 400)
        << target;
  }
  for (const char* target : {"/.well-known/x", "/...", "/a..b", "/%2e%2e%2e", "/?..", "/a|b?{c}",
                             "/%c3%a9", "/\xc3\xa9"}) {
    EXPECT_EQ(refusal("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n"), 0) << target;
  }
}

TEST(RequestParser, RefusesAMissingSecondOrMalformedHost) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  for (const char* host : {"a/b", "a b", "user@a", "a,b", "a\xc3\xb6"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  for (const char* host : {"", "a.example:80", "[::1]:8443", "127.0.0.1"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
  }
}

// ---- Smuggling ---------------------------------------------------------------------------------

TEST(RequestParser, RefusesAnAmbiguousLength) {
  for (const char* fields :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3, 3\r\n", "Content-Length: 3,\r\n", "Content-Length: +3\r\n",
        "Content-Length: -3\r\n", "Content-Length: 0x3\r\n", "Content-Length: 3 4\r\n",
        "Content-Length:\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"}) {
    EXPECT_EQ(refusal(request(fields, "abc")), 400) << fields;
  }
}

TEST(RequestParser, RefusesOtherTransferCodings) {
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked",
                             "chunked, chunked", "\"chunked\"", "chunked;q=1"}) {
    const int status = refusal(request("Transfer-Encoding: " + std::string(coding) + "\r\n"));
    EXPECT_TRUE(status == 501 || status == 400) << coding << ' ' << status;
  }
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestParser, RefusesMalformedFields) {
  using namespace std::string_literals;
  for (const std::string& field :
       {"X : y\r\n"s, "X\t: y\r\n"s, " X: y\r\n"s, ": y\r\n"s, "X\r\n"s, "X y: z\r\n"s,
        "X: a\r\n b\r\n"s, "X: a\r\n\tb\r\n"s, "X: a\0b\r\n"s, "X\0: b\r\n"s, "X: a\rb\r\n"s,
        "X: a\x01\r\n"s, "X: a\x7f\r\n"s, "X: a\nY: b\r\n"s, "X: a\n"s,
        "Transfer-Encoding : chunked\r\n"s, "Content-Length\x0b: 3\r\n"s,
        "Transfer-Encoding:\x0b"
        "chunked\r\n"s}) {
    EXPECT_EQ(refusal(request(field)), 400) << testing::PrintToString(field);
  }
}

TEST(RequestParser, RefusesFoldedFieldsWhateverTheChunks) {
  for (const std::size_t chunk : {1UL, 5UL, 13UL, 64UL, 1024UL}) {
    EXPECT_EQ(parse(request("X: a\r\n b\r\n"), chunk).refusal, 400) << chunk;
    EXPECT_EQ(parse(request("X:\r\n b\r\n"), chunk).refusal, 400) << chunk;
    EXPECT_EQ(parse(request("X:\r\n \r\n"), chunk).refusal, 400) << chunk;
    EXPECT_EQ(parse(request("X: a\r\n \r\n"), chunk).refusal, 400) << chunk;
    EXPECT_EQ(parse(request("X:\r\nY: \r\nZ:a\r\n"), chunk).refusal, 0) << chunk;
  }
}

TEST(RequestParser, RefusesBareLineFeeds) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: h\n\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400);
  EXPECT_NE(refusal("GET / HTTP/1.1\r\nHost: h\r\n\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"), 0);
}

TEST(RequestParser, RefusesMalformedChunks) {
  for (const char* body :
       {"x\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "5;=x\r\nhello\r\n0\r\n\r\n",
        "\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n"}) {
    const int status = refusal(request("Transfer-Encoding: chunked\r\n", body));
    EXPECT_EQ(status, 400) << body;
  }
}

// ---- Limits ------------------------------------------------------------------------------------

TEST(RequestParser, TheHeaderLimitIsForAllOfIt) {
  const std::string field = "X: " + std::string(95, 'x') + "\r\n";  // 100 bytes
  std::string fields;
  for (int i = 0; i < 9; ++i) fields += field;
  EXPECT_EQ(refusal(request(fields)), 0);
  for (int i = 0; i < 3; ++i) fields += field;
  EXPECT_EQ(refusal(request(fields)), 431);
  EXPECT_EQ(refusal("GET /" + std::string(kMaxHeader, 'x')), 431);
  EXPECT_EQ(refusal(request("X: " + std::string(kMaxHeader, 'x'))), 431);
}

TEST(RequestParser, TheHeaderLimitHoldsForAFieldAtATime) {
  Request filled;
  RequestParser parser(filled, kMaxHeader, kMaxHeader);
  // Each piece ends a field and begins the next one, so that Beast takes it and holds next to
  // nothing.
  std::string held = "GET / HTTP/1.1\r\nX-";
  std::size_t fields = 0;
  while (parser.refusal() == 0 && fields < kMaxHeader) {
    held.erase(0, parser.take(asio::buffer(held)));
    held += "Field: value\r\nX-";
    ++fields;
  }
  EXPECT_EQ(parser.refusal(), 431);
  EXPECT_LE(fields, kMaxHeader / std::string_view("X-Field: value\r\n").size() + 2);
}

TEST(RequestParser, TheHeaderLimitHoldsForTrailers) {
  std::string trailers;
  while (trailers.size() < kMaxHeader) trailers += "X-Field: value\r\n";
  EXPECT_EQ(refusal(request("Transfer-Encoding: chunked\r\n", "0\r\n" + trailers + "\r\n")), 431);
}

TEST(RequestParser, TheBodyLimitIsCheckedBeforeTheBodyComes) {
  EXPECT_EQ(refusal(request("Content-Length: 101\r\n")), 413);
  EXPECT_EQ(refusal(request("Content-Length: 9999999999999999999\r\n")), 413);
  EXPECT_TRUE(parse(request("Content-Length: 100\r\n", std::string(100, 'x'))).complete);
}

TEST(RequestParser, TheBodyLimitHoldsForChunks) {
  const std::string chunk = "32\r\n" + std::string(50, 'x') + "\r\n";
  const std::string_view coding = "Transfer-Encoding: chunked\r\n";
  EXPECT_TRUE(parse(request(coding, chunk + chunk + "0\r\n\r\n")).complete);
  EXPECT_EQ(refusal(request(coding, chunk + chunk + "1\r\nx\r\n0\r\n\r\n")), 413);
  EXPECT_EQ(refusal(request(coding, "65\r\n")), 413);
}

}  // namespace
}  // namespace livetls::web
