#include "tls/policy_digest.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "pki/crypto.hpp"

namespace livetls {
namespace {

/// Lists of texts, each with its length before it, so that no two different inputs read the same.
class Transcript {
 public:
  void add(std::string_view text) {
    add_number(text.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }

  void add(const std::vector<std::string>& texts) {
    add_number(texts.size());
    for (const std::string& text : texts) add(text);
  }

  void add_number(std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<std::uint8_t>(number >> shift & 0xff));
    }
  }

  TicketKeys::PolicyDigest digest() const { return crypto::sha256(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  return texts;
}

}  // namespace

TicketKeys::PolicyDigest policy_digest(const ServingPolicy& policy, const CertificateInfo& leaf) {
  Transcript transcript;
  transcript.add("livetls policy 1");
  transcript.add_number(static_cast<std::uint64_t>(policy.tls.min_version));
  transcript.add_number(static_cast<std::uint64_t>(policy.tls.max_version));
  transcript.add_number(static_cast<std::uint64_t>(policy.client_auth));
  transcript.add(policy.alpn);
  transcript.add(sorted(leaf.dns_names));
  transcript.add(sorted(leaf.ip_names));
  if (policy.client_roots) {
    for (const auto& root : policy.client_roots->certificates()) {
      transcript.add({reinterpret_cast<const char*>(root.data()), root.size()});
    }
  }
  std::vector<Fingerprint> revoked = policy.revoked_keys;
  std::ranges::sort(revoked);  // machines that share ticket secrets may revoke in any order
  for (const Fingerprint& key : revoked) transcript.add(to_hex(key));
  return transcript.digest();
}

}  // namespace livetls
