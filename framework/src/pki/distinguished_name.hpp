#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pki/der.hpp"

namespace livetls {

/// An X.501 Name as RFC 4514 writes it, the most specific part first. Control characters and bytes
/// that are no UTF-8 are escaped, so the text is safe in a log. A name that cannot be read fails
/// the reader.
std::string read_distinguished_name(der::Reader name);

/// What read_distinguished_name made of a name, in quotes, for errors: of long ones the beginning.
std::string quoted_name(std::string_view name);

/// A Name as it is compared (RFC 5280, section 7.1), one part for each RelativeDistinguishedName:
/// text without regard to its encoding, to upper and lower case, and to superfluous spaces; other
/// values by their bytes.
using CanonicalName = std::vector<std::string>;

/// Of a Name with its tag. Empty for one that cannot be read.
CanonicalName canonical_name(der::Span name);

/// The values of one type of attribute, in UTF-8; those that are no text are left out.
std::vector<std::string> attribute_values(der::Span name, der::Span type);

/// A Name of an organisation and a common name; either is left out where it is empty.
SecretBytes encode_distinguished_name(std::string_view organization, std::string_view common_name);

}  // namespace livetls
