#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <tuple>

#include "differential/scenario.hpp"

namespace livetls::test {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using Name = std::unique_ptr<X509_NAME, Freed<X509_NAME_free>>;

void must(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error("OpenSSL cannot make a certificate: " + what);
}

EVP_PKEY* new_key(const std::string& kind) {
  if (kind == "p256") return EVP_EC_gen("P-256");
  if (kind == "p384") return EVP_EC_gen("P-384");
  if (kind == "p521") return EVP_EC_gen("P-521");
  if (kind == "rsa1024") return EVP_RSA_gen(1024);
  if (kind == "rsa2048") return EVP_RSA_gen(2048);
  if (kind == "rsa3072") return EVP_RSA_gen(3072);
  if (kind == "ed25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  throw std::invalid_argument("no kind of key: " + kind);
}

/// Made at first use, and kept for all scenarios.
EVP_PKEY* key_named(const std::string& text) {
  static std::map<std::string, Key> keys;
  Key& key = keys[text];
  if (!key) key.reset(new_key(text.substr(0, text.find(':'))));
  must(key != nullptr, text);
  return key.get();
}

/// "/CN=a/O=b"; a plain text is a common name.
Name name_of(const std::string& text, int type) {
  Name name(X509_NAME_new());
  std::string rest = text.empty() || text.front() == '/' ? text : "/CN=" + text;
  while (!rest.empty()) {
    const auto end = rest.find('/', 1);
    const std::string part = rest.substr(1, end == rest.npos ? end : end - 1);
    const auto equals = part.find('=');
    const std::string field = part.substr(0, equals);
    const int string_type = field == "emailAddress" ? V_ASN1_IA5STRING : type;
    std::string value;
    for (const char c : part.substr(equals + 1)) {
      if (string_type == V_ASN1_BMPSTRING) value += '\0';
      value += c;
    }
    must(X509_NAME_add_entry_by_txt(name.get(), field.c_str(), string_type,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1,
         text);
    rest = end == rest.npos ? "" : rest.substr(end);
  }
  return name;
}

/// A value that begins with "DER:" or "critical,DER:" goes in as it is, for what the configuration
/// cannot express.
void add_extension(X509* certificate, X509V3_CTX& context, const std::string& name,
                   const std::string& value) {
  static CONF* const configuration = NCONF_new(nullptr);  // empty, and asked for
  X509V3_set_nconf(&context, configuration);
  std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_nconf(configuration, &context, name.c_str(), value.c_str()));
  must(extension != nullptr, name + "=" + value);
  must(X509_add_ext(certificate, extension.get(), -1) == 1, name);
}

void sign(X509* certificate, const CertificateSpec& spec) {
  EVP_PKEY* key = key_named(spec.signer_key);
  const bool has_own_digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  const EVP_MD* digest = has_own_digest ? nullptr : EVP_get_digestbyname(spec.digest.c_str());
  std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  must(EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key) == 1, "signing");
  if (spec.pss && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    must(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1,
         "RSA-PSS");
  }
  must(X509_sign_ctx(certificate, context.get()) > 0, "signing");
}

Der make_certificate(const CertificateSpec& spec) {
  const X509Ptr certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, spec.version - 1);
  std::unique_ptr<BIGNUM, Freed<BN_free>> serial;
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, spec.serial.c_str());
  serial.reset(number);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
  constexpr long kSecondsPerDay = 24 * 3600;
  X509_gmtime_adj(X509_getm_notBefore(x), spec.days_before * kSecondsPerDay);
  X509_gmtime_adj(X509_getm_notAfter(x), spec.days_after * kSecondsPerDay);
  X509_set_subject_name(x, name_of(spec.subject, spec.name_type).get());
  X509_set_issuer_name(x, name_of(spec.issuer, spec.issuer_name_type).get());
  X509_set_pubkey(x, key_named(spec.key));

  // For key identifiers: an issuer with the signer's key, but without extensions of its own.
  const X509Ptr issuer(X509_new());
  X509_set_pubkey(issuer.get(), key_named(spec.signer_key));
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.get(), x, nullptr, nullptr, 0);
  X509V3_CTX own;
  X509V3_set_ctx(&own, issuer.get(), issuer.get(), nullptr, nullptr, 0);
  add_extension(issuer.get(), own, "subjectKeyIdentifier", "hash");
  for (const auto& [name, value] : spec.extensions) add_extension(x, context, name, value);
  sign(x, spec);
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x, &encoded);
  must(size > 0, "encoding");
  Der der(encoded, encoded + size);
  OPENSSL_free(encoded);
  if (spec.damaged) der.back() ^= 1;
  return der;
}

}  // namespace

bool operator<(const CertificateSpec& a, const CertificateSpec& b) {
  const auto all = [](const CertificateSpec& s) {
    return std::tie(s.subject, s.issuer, s.key, s.signer_key, s.digest, s.version, s.days_before,
                    s.days_after, s.serial, s.pss, s.name_type, s.issuer_name_type, s.damaged,
                    s.extensions);
  };
  return all(a) < all(b);
}

const Der& CertificateFactory::make(const CertificateSpec& spec) {
  const auto found = made_.find(spec);
  return found != made_.end() ? found->second
                              : made_.emplace(spec, make_certificate(spec)).first->second;
}

MadeScenario CertificateFactory::make(const Scenario& scenario) {
  MadeScenario result{{}, {}, scenario.purpose, scenario.host};
  for (const auto& name : scenario.sent)
    result.sent.push_back(make(scenario.certificates.at(name)));
  for (const auto& name : scenario.trusted) {
    result.trusted.push_back(make(scenario.certificates.at(name)));
  }
  return result;
}

}  // namespace livetls::test
