#include "pki/distinguished_name.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "livetls/pki/certificate_info.hpp"
#include "pki/ascii.hpp"
#include "pki/object_ids.hpp"
#include "pki/pem.hpp"

namespace livetls {
namespace {

struct AttributeName {
  std::string_view object_id;
  std::string_view text;
};

constexpr AttributeName kAttributeNames[] = {
    {"2.5.4.3", "CN"},
    {"2.5.4.5", "serialNumber"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"2.5.4.9", "STREET"},
    {"2.5.4.10", "O"},
    {"2.5.4.11", "OU"},
    {"0.9.2342.19200300.100.1.1", "UID"},
    {"0.9.2342.19200300.100.1.25", "DC"},
    {"1.2.840.113549.1.9.1", "emailAddress"},
};

/// The length of the UTF-8 sequence at the front of `text`; 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t index) { return static_cast<std::uint8_t>(text[index]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80                    ? 1
                             : lead >= 0xc2 && lead <= 0xdf ? 2
                             : lead >= 0xe0 && lead <= 0xef ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length > text.size()) return 0;
  for (std::size_t index = 1; index < length; ++index) {
    if ((byte(index) & 0xc0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const std::uint8_t second = byte(1);
  const bool too_long = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool too_large = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return too_long || too_large ? 0 : length;
}

/// Whether a character of several bytes would change how a log is shown: C1 controls, separators of
/// lines, and marks that turn the direction of text.
bool is_formatting(std::string_view sequence) {
  if (sequence.size() < 2 || sequence.size() > 3) return false;
  char32_t c = sequence.size() == 2 ? 0x1f : 0x0f;
  c &= static_cast<std::uint8_t>(sequence.front());
  for (const char part : sequence.substr(1)) c = c << 6 | (static_cast<std::uint8_t>(part) & 0x3f);
  return (c >= 0x80 && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

std::string escaped(std::string_view value) {
  constexpr std::string_view kSpecial = "\"+,;<>\\";
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    const char c = value[at];
    const auto length = utf8_length(value.substr(at));
    const bool first = at == 0;
    const bool last = at + 1 == value.size();
    const bool control = static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f;
    if (length == 0 || control || is_formatting(value.substr(at, length))) {
      for (const char part : value.substr(at, std::max<std::size_t>(length, 1))) {
        const auto byte = static_cast<std::uint8_t>(part);
        out += '\\' + to_hex({&byte, 1});
      }
    } else {
      const bool edge = (c == ' ' && (first || last)) || (c == '#' && first);
      if (edge || kSpecial.find(c) != kSpecial.npos) out += '\\';
      out += value.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string read_attribute(der::Reader attribute) {
  const auto type = der::object_id_text(attribute.content(der::kObjectId));
  const auto value = attribute.any();
  attribute.expect_end();
  if (type.empty()) attribute.fail();

  const auto* known = std::ranges::find(kAttributeNames, type, &AttributeName::object_id);
  const std::string name(known == std::end(kAttributeNames) ? type : known->text);
  const bool readable = value.tag == der::kUtf8String || value.tag == der::kPrintableString ||
                        value.tag == der::kIa5String;
  const bool is_known = known != std::end(kAttributeNames);
  return name + '=' +
         (is_known && readable ? escaped(as_text(value.content)) : '#' + to_hex(value.whole));
}

void append_utf8(std::string& text, char32_t c) {
  const auto continuation = [&](int shift) {
    text += static_cast<char>(0x80 | (c >> shift & 0x3f));
  };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xc0 | c >> 6);
    continuation(0);
  } else if (c < 0x10000) {
    text += static_cast<char>(0xe0 | c >> 12);
    continuation(6);
    continuation(0);
  } else {
    text += static_cast<char>(0xf0 | (c >> 18 & 0x07));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

/// Characters of one, two or four bytes each.
std::optional<std::string> from_fixed_width(der::Span content, std::size_t width) {
  if (content.size() % width != 0) return {};
  std::string text;
  for (; !content.empty(); content = content.subspan(width)) {
    char32_t c = 0;
    for (const std::uint8_t byte : content.first(width)) c = c << 8 | byte;
    const bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
    if (is_surrogate || c > 0x10ffff) return {};
    append_utf8(text, c);
  }
  return text;
}

/// The text of a value in UTF-8; nothing where it is no text.
std::optional<std::string> text_of(const der::Element& value) {
  switch (value.tag) {
    case der::kUtf8String:
    case der::kPrintableString:
    case der::kIa5String:
    case der::kVisibleString: return std::string(as_text(value.content));
    case der::kTeletexString: return from_fixed_width(value.content, 1);  // as Latin-1, by custom
    case der::kBmpString: return from_fixed_width(value.content, 2);
    case der::kUniversalString: return from_fixed_width(value.content, 4);
    default: return {};
  }
}

/// Lower case, without spaces at the ends, and with one where there are several.
std::string folded(std::string_view text) {
  std::string result;
  bool space = false;
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    if (is_space) {
      space = !result.empty();
      continue;
    }
    if (std::exchange(space, false)) result += ' ';
    result += to_lower(c);
  }
  return result;
}

/// What follows one another without a length could be split in two ways.
void append_counted(std::string& out, std::string_view part) {
  out += std::to_string(part.size()) + ':';
  out += part;
}

std::string canonical_attribute(der::Reader attribute) {
  std::string result;
  append_counted(result, as_text(attribute.content(der::kObjectId)));
  const auto value = attribute.any();
  const auto text = text_of(value);
  append_counted(result, text ? 't' + folded(*text) : 'b' + std::string(as_text(value.whole)));
  return result;
}

/// Calls `visit` with a reader of each attribute, and `part_ends` behind each RDN; false where the
/// name cannot be read.
template <class Visit, class PartEnds>
bool walk(der::Span name, Visit visit, PartEnds part_ends) {
  bool failed = false;
  der::Reader outer(name, failed);
  der::Reader parts = outer.enter(der::kSequence);
  while (!parts.at_end()) {
    der::Reader attributes = parts.enter(der::kSet);
    while (!attributes.at_end()) visit(attributes.enter(der::kSequence));
    part_ends();
  }
  return !failed;
}

SecretBytes encode_attribute(der::Span type, std::string_view value) {
  const der::Span bytes(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
  const auto attribute =
      der::sequence({der::object_id(type), der::element(der::kUtf8String, {bytes})});
  return der::element(der::kSet, {attribute});
}

}  // namespace

std::string read_distinguished_name(der::Reader name) {
  std::string text;
  while (!name.at_end()) {
    der::Reader parts = name.enter(der::kSet);
    if (parts.at_end()) parts.fail();
    std::string relative;
    while (!parts.at_end()) {
      if (!relative.empty()) relative += '+';
      relative += read_attribute(parts.enter(der::kSequence));
    }
    if (!text.empty()) relative += ',';
    text.insert(0, relative);
  }
  return text;
}

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kMaxBytes = 200;
  const bool is_cut = name.size() > kMaxBytes;
  std::size_t end = std::min(name.size(), kMaxBytes);
  while (is_cut && end > 0 && (name[end] & 0xc0) == 0x80) --end;  // a whole character
  return "'" + std::string(name.substr(0, end)) + (is_cut ? "...'" : "'");
}

CanonicalName canonical_name(der::Span name) {
  CanonicalName canonical;
  std::vector<std::string> attributes;  // of one part, a set
  const bool readable = walk(
      name, [&](der::Reader attribute) { attributes.push_back(canonical_attribute(attribute)); },
      [&] {
        std::ranges::sort(attributes);
        std::string part;
        for (const std::string& attribute : attributes) part += attribute;
        attributes.clear();
        canonical.push_back(std::move(part));
      });
  return readable ? canonical : CanonicalName();
}

std::vector<std::string> attribute_values(der::Span name, der::Span type) {
  std::vector<std::string> values;
  const auto visit = [&](der::Reader attribute) {
    if (!std::ranges::equal(attribute.content(der::kObjectId), type)) return;
    if (auto text = text_of(attribute.any())) values.push_back(std::move(*text));
  };
  walk(name, visit, [] {});
  return values;
}

SecretBytes encode_distinguished_name(std::string_view organization, std::string_view common_name) {
  SecretBytes organization_part;
  SecretBytes common_name_part;
  if (!organization.empty()) {
    organization_part = encode_attribute(oid::kOrganization, organization);
  }
  if (!common_name.empty()) common_name_part = encode_attribute(oid::kCommonName, common_name);
  return der::sequence({organization_part, common_name_part});
}

}  // namespace livetls
