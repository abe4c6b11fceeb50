#include "tls/handshake_watch.hpp"

#include <algorithm>
#include <optional>

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

std::optional<KeyType> curve_of(std::size_t group) {
  switch (group) {
    case 23: return KeyType::ecdsa_p256;
    case 24: return KeyType::ecdsa_p384;
    case 25: return KeyType::ecdsa_p521;
    default: return std::nullopt;
  }
}

/// Other groups have no points that could be wrong, or are the library's to refuse.
bool is_valid_key(std::size_t group, Bytes key) {
  const auto curve = curve_of(group);
  return !curve || crypto::is_on_curve(*curve, key);
}

error_code check_client_hello(Bytes body) {
  const Result<ClientHello> hello = ClientHello::parse(body);
  return hello ? HandshakeWatch::check_shares(*hello) : hello.error().code;
}

error_code check_server_hello(Bytes body) {
  constexpr std::size_t kKeyShare = 51;
  Fields fields(body);
  fields.take(2 + 32);  // legacy_version, random
  fields.vector(1);     // legacy_session_id
  fields.take(2 + 1);   // cipher suite, compression method
  Fields extensions(fields.vector(2));
  while (!extensions.at_end()) {
    const std::size_t type = extensions.number(2);
    Fields share(extensions.vector(2));
    if (type != kKeyShare) continue;
    const std::size_t group = share.number(2);
    if (share.at_end()) continue;  // a HelloRetryRequest
    if (!is_valid_key(group, share.vector(2))) return Errc::invalid_key_share;
  }
  return {};
}

error_code check_server_key_exchange(Bytes body) {
  constexpr std::size_t kNamedCurve = 3;
  Fields fields(body);
  if (fields.number(1) != kNamedCurve) return {};
  const std::size_t group = fields.number(2);
  return is_valid_key(group, fields.vector(1)) ? error_code() : Errc::invalid_key_share;
}

/// It does not say its curve, but no two have points of the same length.
error_code check_client_key_exchange(Bytes body) {
  Fields fields(body);
  const Bytes key = fields.vector(1);
  for (const std::size_t group : {23U, 24U, 25U}) {
    const std::size_t coordinate = group == 23 ? 32 : group == 24 ? 48 : 66;
    if (key.size() != 1 + 2 * coordinate) continue;
    return is_valid_key(group, key) ? error_code() : Errc::invalid_key_share;
  }
  return {};
}

error_code check_message(std::uint8_t type, Bytes body) {
  switch (type) {
    case kClientHello: return check_client_hello(body);
    case kServerHello: return check_server_hello(body);
    case kServerKeyExchange: return check_server_key_exchange(body);
    case kClientKeyExchange: return check_client_key_exchange(body);
    default: return {};
  }
}

}  // namespace

error_code HandshakeWatch::check_shares(const ClientHello& hello) {
  const bool valid = std::ranges::all_of(
      hello.key_shares, [](const KeyShare& share) { return is_valid_key(share.group, share.key); });
  return valid ? error_code() : Errc::invalid_key_share;
}

error_code HandshakeWatch::see(Bytes bytes, bool encrypts_after_change) {
  while (!bytes.empty() && !over_) {
    if (record_left_ == 0) {
      record_header_[record_header_size_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (record_header_size_ == record_header_.size()) begin_record(encrypts_after_change);
      continue;
    }
    Bytes fragment = bytes.first(std::min(record_left_, bytes.size()));
    bytes = bytes.subspan(fragment.size());
    record_left_ -= fragment.size();
    if (record_header_[0] != kHandshake) continue;
    while (!fragment.empty()) {
      if (const error_code error = see_handshake(fragment)) return error;
    }
  }
  return {};
}

void HandshakeWatch::begin_record(bool encrypts_after_change) {
  record_header_size_ = 0;
  record_left_ = static_cast<std::size_t>(record_header_[3] << 8 | record_header_[4]);
  over_ = record_header_[0] == kChangeCipherSpec && encrypts_after_change;
}

/// Takes the rest of a message off the front of `fragment`, or all of it.
error_code HandshakeWatch::see_handshake(Bytes& fragment) {
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
  const error_code error = check_message(type, message_.empty() ? piece : Bytes(message_));
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
