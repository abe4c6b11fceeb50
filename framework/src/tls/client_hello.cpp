#include "livetls/tls/client_hello.hpp"

#include <algorithm>
#include <string>

namespace livetls {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kRecordHeaderBytes = 5;
constexpr std::size_t kMaxRecordBytes = 1 << 14;
constexpr std::size_t kMessageHeaderBytes = 4;
constexpr std::size_t kMaxExtensions = 64;  // browsers send about 20
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHelloMessage = 1;

enum Extension : std::uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kSessionTicket = 35,
  kSupportedVersions = 43,
  kSignatureAlgorithmsCert = 50,
  kKeyShare = 51,
};

/// Takes vectors off the front of a message; one missing byte makes everything after it fail.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}

  std::uint32_t number(std::size_t width) {
    std::uint32_t value = 0;
    for (std::uint8_t byte : take(width)) value = value << 8 | byte;
    return value;
  }

  Bytes take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    Bytes front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }

  /// A vector with a length of `width` bytes before it.
  Bytes vector(std::size_t width) { return take(number(width)); }

  bool at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  Bytes rest_;
  bool failed_ = false;
};

Error malformed(const char* what) { return {Errc::malformed_client_hello, what}; }

bool parse_code_points(Bytes data, std::size_t length_width, CodePoints& out) {
  Cursor cursor(data);
  const Bytes list = cursor.vector(length_width);
  if (!cursor.finished() || list.empty() || list.size() % 2 != 0) return false;
  out = CodePoints(list);
  return true;
}

/// One name of type host_name, as RFC 6066 allows no second of a type and defines no other type.
bool parse_server_name(Bytes data, std::string_view& out) {
  Cursor outer(data);
  Cursor list(outer.vector(2));
  const std::uint32_t type = list.number(1);
  const Bytes name = list.vector(2);
  if (!outer.finished() || !list.finished() || type != 0 || name.empty()) return false;
  out = {reinterpret_cast<const char*>(name.data()), name.size()};
  return out.find('\0') == std::string_view::npos;
}

bool parse_alpn(Bytes data, AlpnProtocols& out) {
  Cursor outer(data);
  const Bytes list = outer.vector(2);
  if (!outer.finished() || list.empty()) return false;
  Cursor names(list);
  while (!names.at_end()) {
    if (names.vector(1).empty()) return false;
  }
  out = AlpnProtocols(list);
  return !names.failed();
}

/// An empty list asks for a HelloRetryRequest.
bool parse_key_shares(Bytes data, ClientHello& hello, Errc& reason) {
  Cursor outer(data);
  Cursor list(outer.vector(2));
  if (!outer.finished()) return false;
  while (!list.at_end()) {
    KeyShare share;
    share.group = static_cast<std::uint16_t>(list.number(2));
    share.key = list.vector(2);
    if (list.failed() || share.key.empty()) return false;
    if (!hello.key_shares.add(share)) {
      reason = Errc::invalid_key_share;
      return false;
    }
  }
  return true;
}

/// `reason` is changed where it says more than that the extension is malformed.
bool parse_extension(std::uint16_t type, Bytes data, ClientHello& hello, Errc& reason) {
  switch (type) {
    case kServerName: return parse_server_name(data, hello.server_name);
    case kSupportedGroups: return parse_code_points(data, 2, hello.supported_groups);
    case kSignatureAlgorithms: return parse_code_points(data, 2, hello.signature_algorithms);
    case kAlpn: return parse_alpn(data, hello.alpn);
    case kSupportedVersions: return parse_code_points(data, 1, hello.supported_versions);
    case kKeyShare: return parse_key_shares(data, hello, reason);
    case kSessionTicket: hello.session_ticket = data; return true;
    case kSignatureAlgorithmsCert:
      return parse_code_points(data, 2, hello.signature_algorithms_cert);
    default: return true;
  }
}

Result<ClientHello> parse_extensions(Cursor& cursor, ClientHello hello) {
  if (cursor.at_end()) return hello;  // TLS 1.2 clients may send none
  Cursor extensions(cursor.vector(2));
  std::array<std::uint16_t, kMaxExtensions> seen;
  std::size_t count = 0;
  while (!extensions.at_end()) {
    const auto type = static_cast<std::uint16_t>(extensions.number(2));
    const Bytes data = extensions.vector(2);
    if (extensions.failed()) return malformed("an extension ends early");
    const auto end = seen.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(seen.begin(), end, type) != end) return malformed("an extension is sent twice");
    if (count == seen.size()) return malformed("too many extensions");
    seen[count++] = type;
    Errc reason = Errc::malformed_client_hello;
    if (!parse_extension(type, data, hello, reason)) {
      return Error{reason, "extension " + std::to_string(type)};
    }
  }
  if (!cursor.finished()) return malformed("bytes follow the extensions");
  return hello;
}

/// Of a handshake message that begins here, with its header.
std::size_t message_size(Bytes message) {
  return kMessageHeaderBytes + Cursor(message.subspan(1)).number(3);
}

bool looks_like_http(Bytes input) {
  static constexpr std::array<std::string_view, 10> kMethods = {
      "GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "CONN", "TRAC", "PATC", "PRI "};
  const std::string_view start(reinterpret_cast<const char*>(input.data()),
                               std::min<std::size_t>(input.size(), 4));
  return std::ranges::any_of(kMethods, [&](std::string_view method) { return start == method; });
}

/// Every method starts with one of these letters, so fewer than four bytes decide nothing yet.
bool could_become_http(Bytes input) {
  return input.size() < 4 &&
         std::string_view("GPHODCT").find(static_cast<char>(input[0])) != std::string_view::npos;
}

}  // namespace

bool CodePoints::contains(std::uint16_t code) const noexcept {
  for (std::size_t i = 0; i < size(); ++i) {
    if ((*this)[i] == code) return true;
  }
  return false;
}

bool KeyShares::add(KeyShare share) noexcept {
  const bool offered = std::ranges::find(*this, share.group, &KeyShare::group) != end();
  if (offered || size_ == kMax) return false;
  shares_[size_++] = share;
  return true;
}

bool AlpnProtocols::contains(std::string_view protocol) const noexcept {
  Cursor names(bytes_);
  while (!names.at_end()) {
    const Bytes name = names.vector(1);
    if (std::ranges::equal(name, protocol, {}, {},
                           [](char c) { return static_cast<std::uint8_t>(c); })) {
      return true;
    }
  }
  return false;
}

Result<ClientHello> ClientHello::parse(std::span<const std::uint8_t> body) {
  Cursor cursor(body);
  ClientHello hello;
  hello.body = body;
  hello.legacy_version = static_cast<std::uint16_t>(cursor.number(2));
  cursor.take(32);  // random
  if (cursor.vector(1).size() > 32) return malformed("the session id is too long");
  const Bytes suites = cursor.vector(2);
  const Bytes compressions = cursor.vector(1);
  if (cursor.failed()) return malformed("it ends early");
  if (hello.legacy_version < 0x0300) return malformed("its version is not TLS");
  if (suites.empty() || suites.size() % 2 != 0) return malformed("the cipher suites");
  if (std::ranges::find(compressions, 0) == compressions.end()) {
    return malformed("the null compression is missing");
  }
  hello.cipher_suites = CodePoints(suites);
  return parse_extensions(cursor, hello);
}

Result<const ClientHello*> ClientHelloReader::read(std::span<const std::uint8_t> input) {
  const Result<bool> complete = collect_records(input);
  if (!complete) return complete.error();
  if (!*complete) return nullptr;

  Result<ClientHello> parsed = ClientHello::parse(message_.subspan(kMessageHeaderBytes));
  if (!parsed) return parsed.error();
  hello_ = *parsed;
  return &hello_;
}

Result<bool> ClientHelloReader::collect_records(std::span<const std::uint8_t> input) {
  while (input.size() > examined_) {
    if (examined_ > kMaxRecordBytesInAll) return Error{Errc::client_hello_too_large};
    const Bytes record = input.subspan(examined_);
    if (record[0] != kHandshakeRecord) {
      if (examined_ == 0 && could_become_http(record)) return false;
      if (examined_ == 0 && looks_like_http(record)) return Error{Errc::plain_http};
      return examined_ == 0 ? Error{Errc::not_tls} : malformed("another record interrupts it");
    }
    if (record.size() < kRecordHeaderBytes) return false;
    if (record[1] != 3) return Error{Errc::not_tls};
    const std::size_t length = static_cast<std::size_t>(record[3] << 8 | record[4]);
    if (length == 0 || length > kMaxRecordBytes) return malformed("the length of a record");
    const Bytes arrived =
        record.subspan(kRecordHeaderBytes, std::min(length, record.size() - kRecordHeaderBytes));

    // A message of the wrong kind or size is refused before the rest of its record is waited for.
    if (collected_.empty() && !arrived.empty() && arrived[0] != kClientHelloMessage) {
      return malformed("the first message is another");
    }
    if (collected_.empty() && arrived.size() >= kMessageHeaderBytes &&
        message_size(arrived) > kMaxMessageBytes) {
      return Error{Errc::client_hello_too_large};
    }
    if (arrived.size() < length) return false;
    const Result<bool> complete = add_fragment(arrived);
    if (!complete || *complete) return complete;
    examined_ += kRecordHeaderBytes + length;
  }
  return false;
}

Result<bool> ClientHelloReader::add_fragment(std::span<const std::uint8_t> fragment) {
  Bytes message = fragment;
  const bool whole = collected_.empty() && fragment.size() >= kMessageHeaderBytes &&
                     fragment.size() >= message_size(fragment);
  if (!whole) {
    collected_.insert(collected_.end(), fragment.begin(), fragment.end());
    message = collected_;
  }
  if (message.size() < kMessageHeaderBytes) return false;
  const std::size_t size = message_size(message);
  if (size > kMaxMessageBytes) return Error{Errc::client_hello_too_large};
  if (message.size() < size) return false;
  if (message.size() > size) return malformed("bytes follow it in its record");
  message_ = message;
  return true;
}

}  // namespace livetls
