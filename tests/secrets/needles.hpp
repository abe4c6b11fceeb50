#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/pki/private_key.hpp"

namespace livetls::test {

/// Pieces of secrets, to be looked for in memory: as they are, in the reverse order (big numbers
/// lie like that), in hexadecimal digits, and in Base64 as a PEM file has it. They are kept under a
/// mask, so that they are not found where they are kept. Looking allocates nothing.
class Needles {
 public:
  static constexpr std::size_t kPieceBytes = 16;

  /// The private numbers of a key, also where a PEM file of any of its formats has them.
  void add(const std::string& name, const PrivateKey& key);

  /// Bytes that are secret throughout.
  void add(const std::string& name, std::span<const std::uint8_t> secret);

  /// The name of what a piece at the start of `bytes` belongs to; nullptr for nothing.
  /// `bytes` may be shorter than a piece.
  const char* at(const std::uint8_t* bytes) const noexcept {
    std::uint64_t start;
    std::memcpy(&start, bytes, sizeof start);
    if (start == 0) return nullptr;  // most of a core file, which a digest may happen to resemble
    return starts_.test(digest(start ^ kMask)) ? compare(bytes) : nullptr;
  }

  /// The name of the first secret of which a piece is in `bytes`; nullptr for none.
  const char* in(std::span<const std::uint8_t> bytes) const noexcept {
    for (std::size_t at_byte = 0; at_byte + kPieceBytes <= bytes.size(); ++at_byte) {
      if (const char* name = at(bytes.data() + at_byte)) return name;
    }
    return nullptr;
  }
  const char* in(std::string_view text) const noexcept {
    return in({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  std::size_t size() const noexcept { return pieces_.size(); }

  /// As a file, still masked.
  std::string exported() const;
  void import(std::string_view exported);

 private:
  static constexpr std::uint64_t kMask = 0xc3a5'965a'e178'1e87;
  static constexpr std::size_t kStarts = 1 << 16;

  struct Piece {
    std::array<std::uint64_t, 2> masked;
    std::array<char, 48> name;
  };

  static std::size_t digest(std::uint64_t masked_start) noexcept {
    return static_cast<std::size_t>(masked_start * 0x9e37'79b9'7f4a'7c15 >> 48);
  }

  const char* compare(const std::uint8_t* bytes) const noexcept;
  void insert(const Piece& piece);

  /// A piece of which `byte_at(index)` gives the bytes, which nobody writes down unmasked.
  template <class ByteAt>
  void add_piece(const std::string& name, const ByteAt& byte_at);
  void add_base64(const std::string& name, std::span<const std::uint8_t> der,
                  std::span<const std::uint8_t> secret);

  std::vector<Piece> pieces_;
  std::bitset<kStarts> starts_;
};

}  // namespace livetls::test
