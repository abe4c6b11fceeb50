#pragma once

#include <string>
#include <vector>

#include "livetls/pki/private_key.hpp"
#include "pki/pem.hpp"

namespace livetls::test {

/// A key as one of the formats of files has it.
struct KeyShape {
  std::string label;
  SecretBytes der;
};

/// PKCS#8, and the older format of its kind where there is one (SEC1, PKCS#1).
inline std::vector<KeyShape> shapes_of(const PrivateKey& key) {
  const SecretBytes pem = key.to_pem();
  std::vector<KeyShape> shapes;
  shapes.push_back({"PRIVATE KEY", parse_pem(as_text(pem), pem.size()).value().front().der});
  if (key.type() == KeyType::ed25519) return shapes;
  const std::string label = key.type() == KeyType::rsa ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
  shapes.push_back({label, {key.der().begin(), key.der().end()}});
  return shapes;
}

}  // namespace livetls::test
