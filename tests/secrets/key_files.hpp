#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "livetls/pki/certificate_info.hpp"
#include "secrets/needles.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::test {

/// Certificates for localhost with keys of every kind in files, and the root that vouches for them.
/// Another process makes them, so that in this one the keys are known only as masked needles.
class KeyFiles {
 public:
  static constexpr KeyType kTypes[] = {KeyType::ecdsa_p256, KeyType::ecdsa_p384,
                                       KeyType::ecdsa_p521, KeyType::rsa, KeyType::ed25519};

  KeyFiles();

  struct Pair {
    KeyType type;
    std::filesystem::path certificate;
    std::filesystem::path key;
  };

  /// `which` is 0, or 1 for another of the same type.
  Pair pkcs8(KeyType type, int which = 0) const;

  /// The format before PKCS#8: SEC1 for ECDSA, PKCS#1 for RSA. The same keys. None for Ed25519.
  Pair old_format(KeyType type, int which = 0) const;

  std::filesystem::path root() const { return directory_ / "root.pem"; }

  const Needles& needles() const noexcept { return needles_; }

  /// For tests that make secrets of their own.
  Needles& needles() noexcept { return needles_; }

 private:
  TemporaryDirectory directory_;
  Needles needles_;
};

}  // namespace livetls::test
