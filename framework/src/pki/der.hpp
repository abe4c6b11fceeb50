#pragma once

// Reading and writing DER (X.690), as much of it as certificates and keys need. The reader is
// strict: definite, minimal lengths and nothing beyond the end.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "livetls/base/secret_bytes.hpp"

namespace livetls::der {

using Span = std::span<const std::uint8_t>;

/// Identifier octets. Those of sequence and set carry the "constructed" bit.
enum Tag : std::uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kNull = 0x05,
  kObjectId = 0x06,
  kUtf8String = 0x0c,
  kPrintableString = 0x13,
  kTeletexString = 0x14,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kVisibleString = 0x1a,
  kUniversalString = 0x1c,
  kBmpString = 0x1e,
  kSequence = 0x30,
  kSet = 0x31,
};

constexpr std::uint8_t context_primitive(int number) {
  return static_cast<std::uint8_t>(0x80 | number);
}
constexpr std::uint8_t context_constructed(int number) {
  return static_cast<std::uint8_t>(0xa0 | number);
}

struct Element {
  std::uint8_t tag = 0;
  Span content;
  Span whole;  ///< with tag and length
};

/// Walks through elements that follow one another. The first thing that is not as expected sets
/// `failed`, which a reader shares with those it makes; everything reads as empty from then on, so
/// a walk is checked once, at its end.
class Reader {
 public:
  Reader(Span bytes, bool& failed) : rest_(bytes), failed_(&failed) {}

  bool at_end() const noexcept { return *failed_ || rest_.empty(); }
  bool next_is(std::uint8_t tag) const noexcept { return !at_end() && rest_.front() == tag; }

  Element any();
  Element element(std::uint8_t tag);
  Span content(std::uint8_t tag) { return element(tag).content; }
  Reader enter(std::uint8_t tag) { return Reader(content(tag), *failed_); }

  /// The content of a BIT STRING of whole bytes.
  Span whole_byte_bits();

  void skip_optional(std::uint8_t tag);
  void expect_end() noexcept;
  void fail() noexcept { *failed_ = true; }

 private:
  Span rest_;
  bool* failed_;
};

/// The magnitude of a non-negative INTEGER's content: without leading zero bytes.
Span without_leading_zeros(Span integer) noexcept;

/// Whether this is the content of an OBJECT IDENTIFIER: numbers in their shortest form
/// (X.690, 8.19.2).
bool is_object_id(Span content) noexcept;

/// "1.2.840.113549.1.9.1"; in hexadecimal where a number has more than 64 bits, as those of UUIDs
/// do (X.667). Empty where the content is no object identifier.
std::string object_id_text(Span content);

/// An element made of parts that follow one another. Written into wiped memory because private keys
/// are written with it too.
SecretBytes element(std::uint8_t tag, std::initializer_list<Span> parts);

inline SecretBytes sequence(std::initializer_list<Span> parts) { return element(kSequence, parts); }
inline SecretBytes object_id(Span content) { return element(kObjectId, {content}); }
inline SecretBytes octet_string(Span content) { return element(kOctetString, {content}); }
SecretBytes small_integer(std::uint8_t value);
SecretBytes bit_string(Span content, std::uint8_t unused_bits = 0);

}  // namespace livetls::der
