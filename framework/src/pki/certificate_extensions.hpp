#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pki/general_name.hpp"

namespace livetls {

/// RFC 5280, section 4.2.1.3: bit n is 1 << n.
enum KeyUsage : std::uint16_t {
  kDigitalSignature = 1 << 0,
  kCertificateSign = 1 << 5,
  kCrlSign = 1 << 6,
};

/// RFC 5280, section 4.2.1.12, as far as TLS asks.
struct ExtendedKeyUsage {
  bool any = false;
  bool server_auth = false;
  bool client_auth = false;
};

/// RFC 5280, section 4.2.1.10.
struct NameConstraints {
  struct Subtree {
    GeneralName base;           ///< of IP addresses: address and mask
    bool has_distance = false;  ///< a minimum other than zero, or a maximum
  };

  std::vector<Subtree> permitted;
  std::vector<Subtree> excluded;
};

/// RFC 5280, sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14. Policies are object identifiers.
struct CertificatePolicies {
  struct Mapping {
    der::Span issuers;
    der::Span subjects;
  };

  std::optional<std::vector<der::Span>> asserted;
  std::vector<Mapping> mappings;
  std::optional<int> require_explicit;  ///< after so many certificates
  std::optional<int> inhibit_mapping;
  std::optional<int> inhibit_any;
};

/// What the extensions of a certificate say: parts of its DER.
struct CertificateExtensions {
  std::vector<GeneralName> alternative_names;
  bool is_ca = false;
  std::optional<int> path_length;
  std::optional<std::uint16_t> key_usage;
  std::optional<ExtendedKeyUsage> extended_key_usage;
  NameConstraints name_constraints;
  CertificatePolicies policies;
  der::Span subject_key_id;
  der::Span authority_key_id;
  std::optional<std::string> unknown_critical;  ///< the first that is critical and not read here
};

/// Reads the content of Extensions. What is not as RFC 5280 says fails the reader.
CertificateExtensions read_extensions(der::Reader extensions);

}  // namespace livetls
