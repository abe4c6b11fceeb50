// A stranger's first bytes: whatever they are, and however they arrive, there is one answer.
//
// Input: where the stream is cut (FuzzInput::cuts), then the stream.

#include <optional>
#include <string>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/tls/client_hello.hpp"

namespace livetls::fuzz {
namespace {

/// What a ClientHello says, in memory of its own.
struct Hello {
  explicit Hello(const ClientHello& hello)
      : legacy_version(hello.legacy_version), server_name(hello.server_name) {
    for (const CodePoints& list :
         {hello.cipher_suites, hello.supported_versions, hello.supported_groups,
          hello.signature_algorithms, hello.signature_algorithms_cert}) {
      for (std::size_t i = 0; i < list.size(); ++i) {
        require(list.contains(list[i]), "a list contains its elements");
        codes.push_back(list[i]);
      }
      codes.push_back(0xffff);
    }
    for (const char* protocol : {"h2", "http/1.1", "h", ""}) {
      protocols.push_back(hello.alpn.contains(protocol));
    }
  }

  std::uint16_t legacy_version;
  std::string server_name;
  std::vector<std::uint16_t> codes;
  std::vector<bool> protocols;

  friend bool operator==(const Hello&, const Hello&) = default;
};

/// What a reader says; neither an error nor a hello while it waits for more.
struct Answer {
  std::optional<Error> error;
  std::optional<Hello> hello;

  bool decided() const { return error || hello; }
  friend bool operator==(const Answer& a, const Answer& b) {
    return a.error.has_value() == b.error.has_value() &&
           (!a.error || a.error->code == b.error->code) && a.hello == b.hello;
  }
};

Answer ask(ClientHelloReader& reader, Bytes so_far) {
  const auto read = reader.read(so_far);
  if (!read) return {read.error(), {}};
  return *read == nullptr ? Answer{} : Answer{{}, Hello(**read)};
}

Answer answer_at_once(Bytes stream) {
  ClientHelloReader reader;
  return ask(reader, stream);
}

/// In memory that moves each time, as a growing buffer does.
Answer answer_in_pieces(Bytes stream, const std::vector<std::size_t>& cuts) {
  ClientHelloReader reader;
  for (const std::size_t cut : cuts) {
    Answer early = ask(reader, copy(stream.first(std::min(cut, stream.size()))));
    if (early.decided()) return early;
  }
  return ask(reader, copy(stream));
}

/// Also tells how many bytes it took.
Answer answer_byte_by_byte(Bytes stream, std::size_t& taken) {
  ClientHelloReader reader;
  for (taken = 0;; ++taken) {
    Answer answer = ask(reader, stream.first(taken));
    if (answer.decided() || taken == stream.size()) return answer;
  }
}

/// The first message's body, taken out of its records without the reader.
std::vector<std::uint8_t> body_in(FuzzInput stream) {
  std::vector<std::uint8_t> message;
  while (!stream.empty()) {
    stream.take(3);
    const Bytes fragment = stream.take(stream.number(2));
    message.insert(message.end(), fragment.begin(), fragment.end());
    FuzzInput fields(message);
    fields.take(1);
    const std::size_t size = fields.number(3);
    if (message.size() >= 4 && fields.rest().size() >= size) return copy(fields.take(size));
  }
  return {};
}

/// Where the extensions begin, which a client may leave out altogether.
std::size_t bytes_before_extensions(Bytes body) {
  FuzzInput fields(body);
  fields.take(34);
  fields.take(fields.number(1));
  fields.take(fields.number(2));
  fields.take(fields.number(1));
  return body.size() - fields.rest().size();
}

void check_hello(Bytes stream, const Hello& hello, const std::vector<std::size_t>& cuts) {
  const auto body = body_in(FuzzInput(stream));
  const auto parsed = ClientHello::parse(body);
  require(parsed && Hello(*parsed) == hello, "the reader and the parser agree");
  require(hello.server_name.find('\0') == std::string::npos, "no name holds a NUL");
  for (const std::size_t cut : cuts) {
    const std::size_t size = cut % body.size();
    const bool may_end_here = size == bytes_before_extensions(body);
    require(may_end_here || !ClientHello::parse(copy(Bytes(body).first(size))),
            "a hello that ends early is malformed");
  }
}

void check_error(const Error& error) {
  require(error == Errc::not_tls || error == Errc::plain_http ||
              error == Errc::malformed_client_hello || error == Errc::client_hello_too_large,
          "an error is one of those that are documented");
}

void check(FuzzInput input) {
  const auto cuts = input.cuts();
  const auto stream = copy(input.rest());
  const Answer answer = answer_at_once(stream);
  require(answer_in_pieces(stream, cuts) == answer, "pieces change nothing");
  std::size_t taken = 0;
  require(answer_byte_by_byte(stream, taken) == answer, "pieces of one byte change nothing");
  require(answer_at_once(Bytes(stream).first(taken)) == answer, "later bytes change nothing");
  if (answer.error) check_error(*answer.error);
  if (answer.hello) check_hello(stream, *answer.hello, cuts);

  const auto parsed = ClientHello::parse(stream);
  if (!parsed) require(parsed.error() == Errc::malformed_client_hello, "the parser's one error");
}

const Target kTarget("client_hello", [](Bytes input) { check(input); });

}  // namespace
}  // namespace livetls::fuzz
