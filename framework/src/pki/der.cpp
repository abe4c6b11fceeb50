#include "pki/der.hpp"

#include <algorithm>
#include <limits>

namespace livetls::der {
namespace {

constexpr std::uint8_t kLongForm = 0x80;

/// Takes a length off the front of `bytes`; false where it is not DER or larger than what follows.
bool take_length(Span& bytes, std::size_t& length) noexcept {
  if (bytes.empty()) return false;
  length = bytes.front();
  bytes = bytes.subspan(1);
  if (length >= kLongForm) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 4 || count > bytes.size() || bytes.front() == 0) return false;
    length = 0;
    for (const auto byte : bytes.first(count)) length = length << 8 | byte;
    if (length < kLongForm) return false;
    bytes = bytes.subspan(count);
  }
  return length <= bytes.size();
}

void append_length(SecretBytes& out, std::size_t length) {
  if (length < kLongForm) {
    out.push_back(static_cast<std::uint8_t>(length));
    return;
  }
  int count = 1;
  while (length >> (8 * count) != 0) ++count;
  out.push_back(static_cast<std::uint8_t>(kLongForm | count));
  while (count-- > 0) out.push_back(static_cast<std::uint8_t>(length >> (8 * count)));
}

}  // namespace

Element Reader::any() {
  constexpr std::uint8_t kHighTagNumber = 0x1f;
  if (at_end() || (rest_.front() & kHighTagNumber) == kHighTagNumber) {
    fail();
    return {};
  }
  const std::uint8_t tag = rest_.front();
  Span after = rest_.subspan(1);
  std::size_t length = 0;
  if (!take_length(after, length)) {
    fail();
    return {};
  }
  const std::size_t header = rest_.size() - after.size();
  const Element found{tag, after.first(length), rest_.first(header + length)};
  rest_ = after.subspan(length);
  return found;
}

Element Reader::element(std::uint8_t tag) {
  const Element found = any();
  const bool is_well_formed = tag != kObjectId || is_object_id(found.content);
  if (found.tag == tag && is_well_formed) return found;
  fail();
  return {};
}

Span Reader::whole_byte_bits() {
  const Span bits = content(kBitString);
  if (bits.empty() || bits.front() != 0) {
    fail();
    return {};
  }
  return bits.subspan(1);
}

void Reader::skip_optional(std::uint8_t tag) {
  if (next_is(tag)) any();
}

void Reader::expect_end() noexcept {
  if (!rest_.empty()) fail();
}

Span without_leading_zeros(Span integer) noexcept {
  while (!integer.empty() && integer.front() == 0) integer = integer.subspan(1);
  return integer;
}

bool is_object_id(Span content) noexcept {
  if (content.empty() || (content.back() & 0x80) != 0) return false;
  bool begins = true;
  for (const auto byte : content) {
    if (begins && byte == 0x80) return false;
    begins = (byte & 0x80) == 0;
  }
  return true;
}

namespace {

std::string hexadecimal(Span content) {
  constexpr std::size_t kMaxShown = 32;
  std::string text = "0x";
  for (const auto byte : content.first(std::min(content.size(), kMaxShown))) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  return content.size() > kMaxShown ? text + "..." : text;
}

}  // namespace

std::string object_id_text(Span content) {
  if (!is_object_id(content)) return {};
  std::string text;
  std::uint64_t arc = 0;
  for (const auto byte : content) {
    if (arc > std::numeric_limits<std::uint64_t>::max() >> 7) return hexadecimal(content);
    arc = arc << 7 | (byte & 0x7f);
    if ((byte & 0x80) != 0) continue;
    if (text.empty()) {  // the first two arcs share a number
      const std::uint64_t first = arc < 80 ? arc / 40 : 2;
      text = std::to_string(first);
      arc -= first * 40;
    }
    text += '.' + std::to_string(arc);
    arc = 0;
  }
  return text;
}

SecretBytes element(std::uint8_t tag, std::initializer_list<Span> parts) {
  std::size_t length = 0;
  for (const auto part : parts) length += part.size();
  SecretBytes out;
  out.reserve(length + 6);
  out.push_back(tag);
  append_length(out, length);
  for (const auto part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

SecretBytes small_integer(std::uint8_t value) { return element(kInteger, {Span(&value, 1)}); }

SecretBytes bit_string(Span content, std::uint8_t unused_bits) {
  return element(kBitString, {Span(&unused_bits, 1), content});
}

}  // namespace livetls::der
