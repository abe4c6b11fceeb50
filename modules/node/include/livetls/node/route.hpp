#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "livetls/pki/trust_bundle.hpp"
#include "livetls/rotation/cert_manager.hpp"

namespace livetls::node {

/// Where nodes are whose names match, and how they are called.
struct Route {
  /// A node's name, in which '*' stands for any text: "orders@*", "*@host1.example", "*".
  std::string pattern = "*";

  std::string host = {};  ///< a name, an address, or "unix:" and a path; empty: the node's host
  std::uint16_t port = 0;

  /// Of several routes to a node, that of the highest weight is tried first, and the next where no
  /// connection comes about.
  int weight = 0;

  /// What is shown there instead of the node's certificates.
  std::shared_ptr<CertManager> cert_manager = {};

  /// Who is believed there; empty: whom the CertManager's servers believe.
  std::optional<TrustBundle> roots = {};

  /// What the peer's certificate must be for; empty: the host in its name.
  std::string server_name = {};

  /// What is proven there instead of the node's cookie.
  std::string cookie = {};

  /// Links have so many connections. Range: 1 to 16.
  std::size_t connections = 1;

  /// Accepts any certificate of the peers, and is logged each time. Who knows the cookie can still
  /// not sit between two nodes that do.
  bool insecure_skip_verify = false;

  /// Without TLS.
  bool plain = false;
};

}  // namespace livetls::node
