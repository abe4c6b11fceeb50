#include "pki/distinguished_name.hpp"

#include <algorithm>

#include "livetls/pki/certificate_info.hpp"
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

std::string escaped(std::string_view value) {
  constexpr std::string_view kSpecial = "\"+,;<>\\";
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    const char c = value[at];
    const auto length = utf8_length(value.substr(at));
    const bool first = at == 0;
    const bool last = at + 1 == value.size();
    const bool control = static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f;
    if (length == 0 || control) {
      const auto byte = static_cast<std::uint8_t>(c);
      out += '\\' + to_hex({&byte, 1});
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
