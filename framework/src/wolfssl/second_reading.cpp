// What the library reads of a certificate, against what livetls has read.

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "pki/crypto.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/pem.hpp"
#include "wolfssl/objects.hpp"

namespace livetls::crypto {
namespace {

using namespace wolfssl;

using Bytes = std::span<const std::uint8_t>;

/// As the library has read it, for as long as its bytes are there.
struct LibraryReading {
  explicit LibraryReading(Bytes der) {
    wc_InitDecodedCert(&decoded, der.data(), size32(der), nullptr);
    status = wc_ParseCert(&decoded, CERT_TYPE, NO_VERIFY, nullptr);
  }
  LibraryReading(const LibraryReading&) = delete;
  LibraryReading& operator=(const LibraryReading&) = delete;
  ~LibraryReading() { wc_FreeDecodedCert(&decoded); }

  DecodedCert decoded{};
  int status;
};

/// The library keeps an ECDSA key with all of its SubjectPublicKeyInfo, others alone.
bool has_key(const DecodedCert& theirs, const ParsedCertificate& ours) {
  if (theirs.publicKey == nullptr) return false;
  const Bytes stored(theirs.publicKey, theirs.pubKeySize);
  return std::ranges::equal(stored, ours.key) || std::ranges::equal(stored, ours.key_info);
}

bool has_serial(const DecodedCert& theirs, Bytes serial) {
  const Bytes read(theirs.serial, static_cast<std::size_t>(theirs.serialSz));
  return std::ranges::equal(der::without_leading_zeros(read), der::without_leading_zeros(serial));
}

/// The alternative names of one type, in whatever order.
bool has_names(const DecodedCert& theirs, const ParsedCertificate& ours, int library_type,
               GeneralName::Type type) {
  std::vector<std::string_view> read;
  for (const DNS_entry* entry = theirs.altNames; entry != nullptr; entry = entry->next) {
    if (entry->type != library_type) continue;
    read.emplace_back(entry->name, static_cast<std::size_t>(entry->len));
  }
  std::vector<std::string_view> expected;
  for (const GeneralName& name : ours.extensions.alternative_names) {
    if (name.type == type) expected.push_back(as_text(name.value));
  }
  std::ranges::sort(read);
  std::ranges::sort(expected);
  return read == expected;
}

/// What the two readings differ in; nullptr where they agree.
const char* difference(const DecodedCert& theirs, const ParsedCertificate& ours) {
  using Type = GeneralName::Type;
  if (!has_key(theirs, ours)) return "the public key";
  if (!has_serial(theirs, ours.serial)) return "the serial number";
  if (theirs.beforeDate != ours.not_before.data() || theirs.afterDate != ours.not_after.data()) {
    return "the validity";
  }
  if (!has_names(theirs, ours, ASN_DNS_TYPE, Type::dns)) return "the DNS names";
  if (!has_names(theirs, ours, ASN_IP_TYPE, Type::ip)) return "the IP addresses";
  if (!has_names(theirs, ours, ASN_URI_TYPE, Type::uri)) return "the URIs";
  if ((theirs.isCA != 0) != ours.extensions.is_ca) return "whether it is a CA";
  return nullptr;
}

}  // namespace

Result<void> check_certificate(const ParsedCertificate& ours, IfUnreadable unreadable) {
  ensure_initialized();
  const LibraryReading theirs(ours.der);
  if (theirs.status != 0 && unreadable == IfUnreadable::refuse) {
    return failed(Errc::malformed_certificate, theirs.status);
  }
  const char* differs = theirs.status == 0 ? difference(theirs.decoded, ours) : nullptr;
  if (differs != nullptr) {
    return Error{Errc::malformed_certificate,
                 std::string("it can be read in two ways: ") + differs};
  }
  const KeyType type = ours.info.key_type;
  const bool is_point = type != KeyType::rsa && type != KeyType::ed25519;
  if (is_point && !is_on_curve(type, ours.key)) {
    return Error{Errc::malformed_certificate, "its public key is not a point on its curve"};
  }
  return {};
}

}  // namespace livetls::crypto
