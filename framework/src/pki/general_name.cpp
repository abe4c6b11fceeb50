#include "pki/general_name.hpp"

#include "pki/distinguished_name.hpp"

namespace livetls {

GeneralName read_general_name(der::Reader& names) {
  using Type = GeneralName::Type;
  constexpr auto kDirectory = der::context_constructed(static_cast<int>(Type::directory));
  if (names.next_is(kDirectory)) {
    der::Reader name = names.enter(kDirectory);
    der::Reader content = name;
    const GeneralName found{Type::directory, name.element(der::kSequence).whole};
    name.expect_end();
    read_distinguished_name(content.enter(der::kSequence));  // or fails the reader
    return found;
  }
  constexpr std::uint8_t kNumber = 0x1f;
  const auto element = names.any();
  const int number = element.tag & kNumber;
  const auto type = static_cast<Type>(number);
  const bool constructed = type == Type::other || type == Type::x400 || type == Type::edi_party;
  const auto tag = constructed ? der::context_constructed(number) : der::context_primitive(number);
  if (type > Type::registered_id || element.tag != tag) names.fail();
  return {type, element.content};
}

}  // namespace livetls
