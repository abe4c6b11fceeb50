#include "wolfssl/peer_check.hpp"

#include "livetls/pki/certificate_info.hpp"
#include "pki/check_chain.hpp"

namespace livetls::wolfssl {

/// Verification of the chain is the library's, but for what it leaves out; of the server's name,
/// ours (RFC 9525), while the library can still answer with an alert. Runs for every certificate of
/// the chain, the leaf last.
int verify_callback(int verified, WOLFSSL_X509_STORE_CTX* store) noexcept {
  auto& peer = *static_cast<PeerCheck*>(store->userCtx);
  if (store->totalCerts < 1) return verified;  // the peer sent none
  const bool is_leaf = store->error_depth == 0;
  if (!is_leaf) return peer.skip() ? 1 : verified;

  peer.chain.clear();
  for (int i = 0; i < store->totalCerts; ++i) {
    const WOLFSSL_BUFFER_INFO& der = store->certs[i];
    peer.chain.emplace_back(der.buffer, der.buffer + der.length);
  }
  if (peer.skip()) return 1;
  if (verified == 0) return 0;
  peer.refusal = peer.judge();
  peer.accepted = !peer.refusal;
  return peer.accepted ? 1 : 0;
}

boost::system::error_code PeerCheck::judge() const {
  const Result<CertificateInfo> leaf = CertificateInfo::from_der(chain.front());
  if (!leaf) return leaf.error().code;
  if (expected_name && !leaf->matches(*expected_name)) return Errc::peer_name_mismatch;
  const Result<void> checked = check_chain(chain, *roots, library_time());
  return checked ? boost::system::error_code() : checked.error().code;
}

}  // namespace livetls::wolfssl
