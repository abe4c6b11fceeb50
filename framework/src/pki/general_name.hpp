#pragma once

#include <cstdint>

#include "pki/der.hpp"

namespace livetls {

/// A GeneralName (RFC 5280, section 4.2.1.6): part of the DER that it was read from.
struct GeneralName {
  /// By the numbers of their tags.
  enum class Type : std::uint8_t {
    other,
    email,
    dns,
    x400,
    directory,
    edi_party,
    uri,
    ip,
    registered_id,
  };

  Type type{};
  der::Span value;  ///< the content; of a directory name, the Name with its tag
};

/// Reads the next one. Anything else fails the reader.
GeneralName read_general_name(der::Reader& names);

}  // namespace livetls
