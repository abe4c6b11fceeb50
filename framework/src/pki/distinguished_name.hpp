#pragma once

#include <string>
#include <string_view>

#include "pki/der.hpp"

namespace livetls {

/// An X.501 Name as RFC 4514 writes it, the most specific part first. Control characters and bytes
/// that are no UTF-8 are escaped, so the text is safe in a log. A name that cannot be read fails
/// the reader.
std::string read_distinguished_name(der::Reader name);

/// A Name of an organisation and a common name; either is left out where it is empty.
SecretBytes encode_distinguished_name(std::string_view organization, std::string_view common_name);

}  // namespace livetls
