#include "wolfssl/peer_check.hpp"

#include <exception>
#include <utility>

#include "pki/certificate_path.hpp"
#include "pki/parsed_certificate.hpp"

namespace livetls::wolfssl {

/// The verdict is ours alone, while the library can still answer with an alert: it has no roots,
/// finds every chain untrusted, and is overruled. See docs/decisions/0001-path-validation.md.
int verify_callback(int, WOLFSSL_X509_STORE_CTX* store) noexcept {
  auto& peer = *static_cast<PeerCheck*>(store->userCtx);
  const bool is_leaf = store->error_depth == 0;
  if (store->totalCerts < 1 || !is_leaf) return 1;
  try {
    peer.chain.clear();
    for (int i = 0; i < store->totalCerts; ++i) {
      const WOLFSSL_BUFFER_INFO& der = store->certs[i];
      peer.chain.emplace_back(der.buffer, der.buffer + der.length);
    }
    if (peer.skip()) return 1;
    peer.judge();
  } catch (const std::exception& problem) {
    peer.refusal = {Errc::tls_failure, problem.what()};
    peer.accepted = false;
  }
  return peer.accepted ? 1 : 0;
}

void PeerCheck::judge() {
  accepted = false;
  const auto leaf = parse_certificate_twice(chain.front());
  if (!leaf) {
    refusal = leaf.error();
    return;
  }
  if (expected_name && !leaf->info.matches(*expected_name)) {
    refusal = {Errc::peer_name_mismatch, quoted_name(leaf->info.subject)};
    return;
  }
  const Purpose purpose = expected_name ? Purpose::server_auth : Purpose::client_auth;
  auto path = find_path(chain, *roots, purpose, library_time());
  if (!path) {
    refusal = path.error();
    return;
  }
  verified = std::move(*path);
  accepted = true;
}

}  // namespace livetls::wolfssl
