#include "tls/load_client.hpp"

#include <stdexcept>

#include "wolfssl/context.hpp"

namespace livetls {
namespace {

#ifdef HAVE_PK_CALLBACKS
int take_ecdsa_signature(WOLFSSL*, const unsigned char*, unsigned, const unsigned char*, unsigned,
                         const unsigned char*, unsigned, int* good, void*) {
  *good = 1;
  return 0;
}
#endif

/// RSA signatures are checked: that is cheap.
void take_signatures(WOLFSSL_CTX* ctx) {
#ifdef HAVE_PK_CALLBACKS
  wolfSSL_CTX_SetEccVerifyCb(ctx, take_ecdsa_signature);
#else
  (void)ctx;
#endif
}

}  // namespace

std::shared_ptr<const ClientContext> make_load_client(const TlsPolicy& policy, KeyExchange group) {
  auto client = ClientContext::create({.policy = policy, .insecure_skip_verify = true});
  if (!client) throw std::runtime_error("no client: " + client.error().message());
  WOLFSSL_CTX* ctx = (*client)->state().ctx.get();
  take_signatures(ctx);
  int only = group == KeyExchange::x25519 ? WOLFSSL_ECC_X25519 : WOLFSSL_ECC_SECP256R1;
  if (policy.max_version == TlsVersion::tls1_3 &&
      wolfSSL_CTX_set_groups(ctx, &only, 1) != WOLFSSL_SUCCESS) {
    throw std::runtime_error("the client cannot be told its group");
  }
  return *client;
}

}  // namespace livetls
