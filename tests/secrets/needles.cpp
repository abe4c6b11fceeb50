#include "secrets/needles.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "pki/der.hpp"
#include "pki/pem.hpp"
#include "secrets/key_shapes.hpp"

namespace livetls::test {
namespace {

using Span = std::span<const std::uint8_t>;

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without leading zeros, which are no secret.
std::vector<Span> private_numbers(const PrivateKey& key) {
  bool failed = false;
  der::Reader fields = der::Reader(key.der(), failed).enter(der::kSequence);
  std::vector<Span> numbers;
  fields.content(der::kInteger);  // the version
  if (key.type() == KeyType::rsa) {
    fields.any();  // the modulus and the public exponent
    fields.any();
    while (!fields.at_end()) numbers.push_back(fields.content(der::kInteger));
  } else if (key.type() == KeyType::ed25519) {
    fields.any();  // the algorithm
    numbers.push_back(
        der::Reader(fields.content(der::kOctetString), failed).content(der::kOctetString));
  } else {
    numbers.push_back(fields.content(der::kOctetString));
  }
  if (failed || numbers.empty()) throw std::logic_error("not the DER of a private key");
  for (Span& number : numbers) number = der::without_leading_zeros(number);
  return numbers;
}

}  // namespace

template <class ByteAt>
void Needles::add_piece(const std::string& name, const ByteAt& byte_at) {
  Piece piece{};
  auto* const masked = reinterpret_cast<std::uint8_t*>(piece.masked.data());
  constexpr auto kMaskBytes = std::bit_cast<std::array<std::uint8_t, sizeof kMask>>(kMask);
  for (std::size_t index = 0; index < kPieceBytes; ++index) {
    masked[index] = static_cast<std::uint8_t>(byte_at(index) ^ kMaskBytes[index % sizeof kMask]);
  }
  name.copy(piece.name.data(), piece.name.size() - 1);
  insert(piece);
}

void Needles::insert(const Piece& piece) {
  starts_.set(digest(piece.masked[0]));
  pieces_.push_back(piece);
}

void Needles::add(const std::string& name, Span secret) {
  constexpr std::size_t kHexBytes = kPieceBytes / 2;
  constexpr std::string_view kLower = "0123456789abcdef";
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  for (std::size_t start = 0; start + kPieceBytes <= secret.size(); start += kPieceBytes) {
    const Span piece = secret.subspan(start, kPieceBytes);
    add_piece(name, [&](std::size_t index) { return piece[index]; });
    add_piece(name + " reversed",
              [&](std::size_t index) { return piece[kPieceBytes - 1 - index]; });
  }
  for (std::size_t start = 0; start + kHexBytes <= secret.size(); start += kHexBytes) {
    for (const std::string_view digits : {kLower, kUpper}) {
      add_piece(name + " in hex", [&](std::size_t index) {
        return digits[secret[start + index / 2] >> (index % 2 == 0 ? 4 : 0) & 0xf];
      });
    }
  }
}

/// A piece for each run of characters that stands for bytes of the secret only. A PEM file has as
/// many characters in a line as makes the pieces fall into lines.
void Needles::add_base64(const std::string& name, Span der, Span secret) {
  constexpr std::size_t kBytes = kPieceBytes / 4 * 3;
  const auto found = std::search(der.begin(), der.end(), secret.begin(), secret.end());
  if (found == der.end()) throw std::logic_error("the secret is not in this DER");
  const auto begin = static_cast<std::size_t>(found - der.begin());
  const std::size_t first = (begin + kBytes - 1) / kBytes * kBytes;
  for (std::size_t start = first; start + kBytes <= begin + secret.size(); start += kBytes) {
    add_piece(name + " in Base64", [&](std::size_t index) {
      const auto* group = &der[start + index / 4 * 3];
      const int bits = group[0] << 16 | group[1] << 8 | group[2];
      return kBase64[static_cast<std::size_t>(bits >> (18 - 6 * (index % 4)) & 0x3f)];
    });
  }
}

void Needles::add(const std::string& name, const PrivateKey& key) {
  for (const Span number : private_numbers(key)) {
    add(name, number);
    for (const KeyShape& shape : shapes_of(key)) add_base64(name, shape.der, number);
  }
}

const char* Needles::compare(const std::uint8_t* bytes) const noexcept {
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), bytes, sizeof words);
  const auto found = std::ranges::find_if(pieces_, [&](const Piece& piece) {
    return (words[0] ^ kMask) == piece.masked[0] && (words[1] ^ kMask) == piece.masked[1];
  });
  return found == pieces_.end() ? nullptr : found->name.data();
}

std::string Needles::exported() const {
  return {reinterpret_cast<const char*>(pieces_.data()), pieces_.size() * sizeof(Piece)};
}

void Needles::import(std::string_view exported) {
  for (; exported.size() >= sizeof(Piece); exported.remove_prefix(sizeof(Piece))) {
    Piece piece;
    std::memcpy(&piece, exported.data(), sizeof piece);
    insert(piece);
  }
}

}  // namespace livetls::test
