#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "livetls/pki/certificate.hpp"

namespace livetls::bench {

/// What Sighting::certificate is of a certificate in DER.
inline std::uint64_t der_hash(const std::vector<std::uint8_t>& der) {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(der.data()), der.size()});
}

inline std::uint64_t leaf_hash(const Certificate& certificate) {
  return der_hash(certificate.chain().front());
}

}  // namespace livetls::bench
