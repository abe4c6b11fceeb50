#include "tls/handshake_watch.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "livetls/base/error.hpp"
#include "pki/crypto.hpp"

namespace livetls {

using boost::system::error_code;

namespace {

using Bytes = std::span<const std::uint8_t>;

enum RecordType : std::uint8_t { kChangeCipherSpec = 20, kHandshake = 22 };

enum MessageType : std::uint8_t {
  kClientHello = 1,
  kServerHello = 2,
  kServerKeyExchange = 12,
  kClientKeyExchange = 16,
};

bool is_of_interest(std::uint8_t type) {
  return type == kClientHello || type == kServerHello || type == kServerKeyExchange ||
         type == kClientKeyExchange;
}

/// Takes vectors off the front of a message, which the library reads again: where one is missing,
/// it is the library that says so.
class Fields {
 public:
  explicit Fields(Bytes bytes) : rest_(bytes) {}

  Bytes take(std::size_t count) {
    const Bytes front = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }

  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (const std::uint8_t byte : take(width)) value = value << 8 | byte;
    return value;
  }

  Bytes vector(std::size_t width) { return take(number(width)); }
  bool at_end() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

enum Group : std::uint16_t { kP256 = 23, kP384 = 24, kP521 = 25, kX25519 = 29 };

/// Those of Curve25519 for which every private key gives the same secret, all zeros: the orders 1,
/// 2, 4 and 8 of the curve and its twist, in every spelling below 2^255 (RFC 7748, section 7).
constexpr std::array<std::array<std::uint8_t, 32>, 7> kSmallOrder = {{
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}};

bool is_valid_x25519(Bytes key) {
  std::array<std::uint8_t, 32> masked;
  if (key.size() != masked.size()) return false;
  std::ranges::copy(key, masked.begin());
  masked.back() &= 0x7f;
  return std::ranges::find(kSmallOrder, masked) == kSmallOrder.end();
}

/// Of groups that we do not know the keys are the library's to refuse.
bool is_valid_key(std::size_t group, Bytes key) {
  switch (group) {
    case kP256: return crypto::is_on_curve(KeyType::ecdsa_p256, key);
    case kP384: return crypto::is_on_curve(KeyType::ecdsa_p384, key);
    case kP521: return crypto::is_on_curve(KeyType::ecdsa_p521, key);
    case kX25519: return is_valid_x25519(key);
    default: return true;
  }
}

bool is_group_of_tls12(std::size_t group) {
  return group == kP256 || group == kP384 || group == kP521 || group == kX25519;
}

std::vector<std::pair<std::size_t, Bytes>> fixed_extensions(Bytes extensions) {
  constexpr std::array<std::size_t, 6> kMayChange = {21, 41, 42, 44, 51, 0xfe0d};
  std::vector<std::pair<std::size_t, Bytes>> fixed;
  Fields fields(extensions);
  while (!fields.at_end()) {
    const std::size_t type = fields.number(2);
    const Bytes data = fields.vector(2);
    if (std::ranges::find(kMayChange, type) == kMayChange.end()) fixed.emplace_back(type, data);
  }
  std::ranges::sort(fixed, {}, &std::pair<std::size_t, Bytes>::first);
  return fixed;
}

/// Whether two ClientHellos differ in nothing that must be the same in both of a client (RFC 8446,
/// section 4.1.2). What may change are the key share, early data, pre-shared keys, the cookie,
/// padding, and what an encrypted ClientHello is in. The order of extensions is left to the client.
bool ask_for_the_same(Bytes first, Bytes second) {
  Fields one(first), other(second);
  if (!std::ranges::equal(one.take(2 + 32), other.take(2 + 32))) return false;
  for (const std::size_t width : {1U, 2U, 1U}) {  // session id, cipher suites, compressions
    if (!std::ranges::equal(one.vector(width), other.vector(width))) return false;
  }
  return std::ranges::equal(fixed_extensions(one.vector(2)), fixed_extensions(other.vector(2)),
                            [](const auto& a, const auto& b) {
                              return a.first == b.first && std::ranges::equal(a.second, b.second);
                            });
}

/// A HelloRetryRequest is a ServerHello with a random of its own (RFC 8446, section 4.1.3).
bool is_retry_request(Bytes random) {
  constexpr std::array<std::uint8_t, 8> kBegin = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};
  return random.size() == 32 && std::ranges::equal(random.first(kBegin.size()), kBegin);
}

error_code check_server_hello(Bytes body) {
  constexpr std::size_t kSupportedVersions = 43, kKeyShare = 51;
  Fields fields(body);
  fields.take(2);  // legacy_version
  const bool is_retry = is_retry_request(fields.take(32));
  fields.vector(1);    // legacy_session_id
  fields.take(2 + 1);  // cipher suite, compression method
  Fields extensions(fields.vector(2));
  bool is_tls13 = false, has_share = false;
  while (!extensions.at_end()) {
    const std::size_t type = extensions.number(2);
    Fields data(extensions.vector(2));
    if (type == kSupportedVersions) is_tls13 = true;
    if (type != kKeyShare || is_retry) continue;
    const std::size_t group = data.number(2);
    has_share = true;
    if (!is_valid_key(group, data.vector(2))) return Errc::invalid_key_share;
  }
  // We resume with a key exchange only, so there is always one.
  return is_tls13 && !is_retry && !has_share ? Errc::invalid_key_share : error_code();
}

error_code check_server_key_exchange(Bytes body) {
  constexpr std::size_t kNamedCurve = 3;
  Fields fields(body);
  const bool is_named = fields.number(1) == kNamedCurve;
  const std::size_t group = fields.number(2);
  const bool valid = is_named && is_group_of_tls12(group) && is_valid_key(group, fields.vector(1));
  return valid ? error_code() : Errc::invalid_key_share;
}

error_code check_client_key_exchange(Bytes body, const HandshakeWatch::Agreed& agreed) {
  Fields fields(body);
  const bool valid =
      is_group_of_tls12(agreed.group) && is_valid_key(agreed.group, fields.vector(1));
  return valid ? error_code() : Errc::invalid_key_share;
}

}  // namespace

error_code HandshakeWatch::check_shares(const ClientHello& hello) {
  const bool valid = std::ranges::all_of(
      hello.key_shares, [](const KeyShare& share) { return is_valid_key(share.group, share.key); });
  return valid ? error_code() : Errc::invalid_key_share;
}

void HandshakeWatch::keep_client_hello(const ClientHello& hello) {
  skips_message_ = true;
  // In TLS 1.2 there is no second one that is not encrypted.
  if (hello.offers_tls13()) first_hello_.assign(hello.body.begin(), hello.body.end());
}

error_code HandshakeWatch::check(std::uint8_t type, Bytes body, const Agreed& agreed) const {
  switch (type) {
    case kClientHello: return check_client_hello(body);
    case kServerHello: return check_server_hello(body);
    case kServerKeyExchange: return check_server_key_exchange(body);
    case kClientKeyExchange: return check_client_key_exchange(body, agreed);
    default: return {};
  }
}

/// The answer was chosen by the first one, and the library reads only this one.
error_code HandshakeWatch::check_client_hello(Bytes body) const {
  const Result<ClientHello> hello = ClientHello::parse(body);
  if (!hello) return hello.error().code;
  if (const error_code error = check_shares(*hello)) return error;
  if (!ask_for_the_same(first_hello_, body)) return Errc::client_hello_changed;
  // The one that was asked for (RFC 8446, section 4.2.8).
  return hello->key_shares.size() == 1 ? error_code() : Errc::client_hello_changed;
}

error_code HandshakeWatch::see(Bytes bytes, const Agreed& agreed) {
  while (!bytes.empty() && !over_) {
    if (record_left_ == 0) {
      record_header_[record_header_size_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (record_header_size_ == record_header_.size()) begin_record(agreed);
      continue;
    }
    Bytes fragment = bytes.first(std::min(record_left_, bytes.size()));
    bytes = bytes.subspan(fragment.size());
    record_left_ -= fragment.size();
    if (record_header_[0] != kHandshake) continue;
    while (!fragment.empty()) {
      if (const error_code error = see_handshake(fragment, agreed)) return error;
    }
  }
  return {};
}

void HandshakeWatch::begin_record(const Agreed& agreed) {
  record_header_size_ = 0;
  record_left_ = static_cast<std::size_t>(record_header_[3] << 8 | record_header_[4]);
  over_ = record_header_[0] == kChangeCipherSpec && !agreed.tls13;
}

/// Takes the rest of a message off the front of `fragment`, or all of it.
error_code HandshakeWatch::see_handshake(Bytes& fragment, const Agreed& agreed) {
  constexpr std::size_t kMaxBytes = 64 * 1024;
  if (message_left_ == 0 && !take_header(fragment)) return {};
  if (is_of_interest(message_header_[0]) && message_left_ > kMaxBytes) {
    return Errc::protocol_violation;
  }
  const Bytes piece = fragment.first(std::min(message_left_, fragment.size()));
  fragment = fragment.subspan(piece.size());
  message_left_ -= piece.size();
  const std::uint8_t type = message_header_[0];
  if (skips_message_) {
    skips_message_ = message_left_ > 0;
    return {};
  }
  if (!is_of_interest(type)) return {};
  if (message_left_ > 0 || !message_.empty()) {
    message_.insert(message_.end(), piece.begin(), piece.end());
    if (message_left_ > 0) return {};
  }
  const error_code error = check(type, message_.empty() ? piece : Bytes(message_), agreed);
  message_.clear();
  return error;
}

/// Whether a message of at least one byte begins.
bool HandshakeWatch::take_header(Bytes& fragment) {
  while (message_header_size_ < message_header_.size()) {
    if (fragment.empty()) return false;
    message_header_[message_header_size_++] = fragment.front();
    fragment = fragment.subspan(1);
  }
  message_header_size_ = 0;
  message_left_ = static_cast<std::size_t>(message_header_[1] << 16 | message_header_[2] << 8 |
                                           message_header_[3]);
  return message_left_ > 0;
}

}  // namespace livetls
