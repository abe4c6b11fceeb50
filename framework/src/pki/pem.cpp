#include "pki/pem.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace livetls {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBlanks = " \t\r\n\f\v";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return trimmed(line);
}

/// The label of a "-----BEGIN label-----" line, with `keyword` "BEGIN" or "END".
std::optional<std::string_view> boundary_label(std::string_view line, std::string_view keyword) {
  constexpr std::string_view kDashes = "-----";
  if (!line.starts_with(kDashes)) return {};
  line.remove_prefix(kDashes.size());
  if (!line.starts_with(keyword)) return {};
  line.remove_prefix(keyword.size());
  if (!line.starts_with(' ') || !line.ends_with(kDashes)) return {};
  line.remove_prefix(1);
  line.remove_suffix(kDashes.size());
  return line;
}

/// Base64 that arrives in pieces.
class Base64Decoder {
 public:
  /// False for anything that is neither Base64 nor a blank.
  bool feed(std::string_view piece, SecretBytes& out) {
    return std::all_of(piece.begin(), piece.end(), [&](char symbol) { return take(symbol, out); });
  }

  /// Whether what was fed is whole.
  bool finished() const noexcept { return count_ == 0; }

 private:
  bool take(char symbol, SecretBytes& out) {
    if (kBlanks.find(symbol) != kBlanks.npos) return true;
    const auto value = kAlphabet.find(symbol);
    const bool padding = symbol == '=' && count_ >= 2;
    if (padding ? padding_ == 2 : value == kAlphabet.npos || padding_ != 0) return false;
    group_ = group_ << 6 | static_cast<std::uint32_t>(padding ? 0 : value);
    padding_ += padding ? 1 : 0;
    if (++count_ == 4) flush(out);
    return true;
  }

  void flush(SecretBytes& out) {
    for (int index = 0; index < 3 - padding_; ++index) {
      out.push_back(static_cast<std::uint8_t>(group_ >> (16 - 8 * index)));
    }
    wipe(&group_, sizeof group_);
    count_ = 0;
  }

  std::uint32_t group_ = 0;
  int count_ = 0;
  int padding_ = 0;
};

/// What follows a BEGIN line, up to and including its END line; nothing where it is torn.
std::optional<PemBlock> take_block(std::string_view label, std::string_view& text) {
  PemBlock block;
  block.label = label;
  Base64Decoder decoder;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (const auto end = boundary_label(line, "END")) {
      if (*end != label || !decoder.finished() || block.der.empty()) return {};
      return block;
    }
    if (block.der.empty() && line.find(':') != line.npos) {  // a header
      block.encrypted |= line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED");
    } else if (!decoder.feed(line, block.der)) {
      return {};
    }
  }
  return {};
}

}  // namespace

Result<std::vector<PemBlock>> parse_pem(std::string_view text, std::size_t limit) {
  if (text.size() > limit) return Errc::input_too_large;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (trimmed(text).empty()) return Errc::input_empty;

  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto label = boundary_label(line, "BEGIN");
    if (!label && !boundary_label(line, "END")) continue;
    auto block = label ? take_block(*label, text) : std::nullopt;
    if (!block) return Error{Errc::pem_torn, "block " + std::to_string(blocks.size() + 1)};
    blocks.push_back(std::move(*block));
  }
  return blocks;
}

SecretBytes encode_pem(std::string_view label, std::span<const std::uint8_t> der) {
  constexpr std::size_t kBytesInLine = 48;
  SecretBytes out;
  const auto append = [&out](std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
  };
  append("-----BEGIN " + std::string(label) + "-----\n");
  for (std::size_t at = 0; at < der.size(); at += 3) {
    const auto group = der.subspan(at, std::min<std::size_t>(3, der.size() - at));
    std::uint32_t bits = 0;
    for (std::size_t index = 0; index < 3; ++index) {
      bits = bits << 8 | (index < group.size() ? group[index] : 0u);
    }
    for (std::size_t index = 0; index < 4; ++index) {
      out.push_back(static_cast<std::uint8_t>(
          index <= group.size() ? kAlphabet[bits >> (18 - 6 * index) & 0x3f] : '='));
    }
    if ((at + 3) % kBytesInLine == 0 || at + 3 >= der.size()) out.push_back('\n');
  }
  append("-----END " + std::string(label) + "-----\n");
  return out;
}

}  // namespace livetls
