// A client's requests, as bytes: however they arrive, the same request or none, and nothing in it
// that another server might read differently.
//
// Input: where the stream is cut (FuzzInput::cuts), then the stream.

#include <charconv>
#include <string>
#include <string_view>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/web/http_error.hpp"
#include "livetls/web/multipart.hpp"
#include "livetls/web/testing.hpp"
#include "request_parser.hpp"

namespace livetls::fuzz {
namespace {

using web::Request;
using web::RequestParser;

constexpr std::size_t kMaxHeader = 4096;
constexpr std::size_t kMaxFields = 50;
constexpr std::size_t kMaxBody = 1000;

/// What became of a stream.
struct Answer {
  bool refused = false;
  bool complete = false;
  std::size_t taken = 0;
  std::string request;  // all that a handler can see

  /// What is not complete may be refused sooner or later: what is wrong with a line may be seen
  /// before its end or with it.
  friend bool operator==(const Answer& a, const Answer& b) {
    return a.complete == b.complete && (!a.complete || a.request == b.request);
  }
};

std::string written(const Request& request) {
  std::string text = request.method_text + " " + request.target + "\n";
  for (const auto& [name, value] : request.headers) text += name + "=" + value + "\n";
  return text + (request.keep_alive ? "k\n" : "c\n") + request.body;
}

/// As the session does it: what the parser leaves is there again, with more behind it.
Answer answer(Bytes stream, const std::vector<std::size_t>& cuts, Request& request) {
  RequestParser parser(request, kMaxHeader, kMaxFields);
  Answer answer;
  std::size_t next_cut = 0;
  std::size_t arrived = cuts.empty() ? stream.size() : std::min(cuts[0], stream.size());
  for (;;) {
    const auto held = copy(stream.subspan(answer.taken, arrived - answer.taken));
    const std::size_t taken = held.empty() ? 0 : parser.take(boost::asio::buffer(held));
    require(taken <= held.size(), "no more is taken than there is");
    answer.taken += taken;
    if (parser.refusal() == 0 && parser.header_is_complete()) {
      parser.body_goes_to(request.body, kMaxBody);
    }
    answer.refused = parser.refusal() != 0;
    answer.complete = parser.is_complete();
    if (answer.refused || answer.complete) break;
    if (taken > 0) continue;
    if (arrived == stream.size()) break;
    ++next_cut;
    arrived = next_cut < cuts.size() ? std::min(std::max(cuts[next_cut], arrived), stream.size())
                                     : stream.size();
  }
  answer.request = written(request);
  return answer;
}

Answer answer(Bytes stream, const std::vector<std::size_t>& cuts) {
  Request request;
  return answer(stream, cuts, request);
}

bool has_dot_segments(std::string_view path) {
  for (const std::string_view dots : {"/../", "/./"}) {
    if ((std::string(path) + "/").find(dots) != std::string::npos) return true;
  }
  return false;
}

void check_request(const Request& request) {
  const bool all = request.target == "*" && request.method == web::Method::options;
  require(all || request.target.starts_with('/'), "a target is a path");
  require(!has_dot_segments(request.path()), "no path leads upwards");
  require(request.body.size() <= kMaxBody, "no body is larger than it may be");
  require(request.headers.size() <= kMaxFields, "no header has more fields than it may have");
  for (const auto& [name, value] : request.headers) {
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos,
            "no value ends its line");
    require(name.find_first_of(" \t:") == name.npos, "no name has a space or a colon");
  }
  const std::size_t lengths = request.headers.count("Content-Length");
  require(lengths + request.headers.count("Transfer-Encoding") <= 1,
          "there is one way to find the end");
  if (lengths == 1) {
    std::size_t length = 0;
    const std::string_view text = request.headers["Content-Length"];
    std::from_chars(text.data(), text.data() + text.size(), length);
    require(request.body.size() == length, "a body has the length that was announced");
  }
}

/// What handlers do with a request is to answer it, or to throw an HttpError.
void check_arguments(Request& request) {
  request.query_param("a");
  request.host();
  request.headers.set("Content-Type", request.headers["X-Type"]);
  static const web::Router router = [] {
    web::Router routes;
    routes.post("/{path...}", [](Request& posted) -> Task<std::string> {
      web::MultipartReader form(posted);
      std::string text;
      bool more = true;
      while (more) {
        const auto part = co_await form.next();
        more = part.has_value();
        if (more) text += part->name;
        if (more) text += co_await form.read_text();
      }
      co_return text;
    });
    return routes;
  }();
  const web::Response response = web::TestClient(router).send(request);
  require(response.status_code != 500, "nothing unexpected is thrown");
}

void check(FuzzInput input) {
  const auto cuts = input.cuts();
  const auto stream = copy(input.rest());
  Request request;
  const Answer at_once = answer(stream, {}, request);
  require(answer(stream, cuts) == at_once, "pieces change nothing");
  if (!at_once.complete) return;
  const Answer alone = answer(Bytes(stream).first(at_once.taken), {});
  require(alone == at_once, "what comes behind a request changes nothing");
  check_request(request);
  check_arguments(request);
}

const Target kTarget("request", [](Bytes input) { check(input); });

}  // namespace
}  // namespace livetls::fuzz
