#include "secrets/key_files.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <stdexcept>

#include "livetls/pki/certificate_authority.hpp"
#include "secrets/key_shapes.hpp"
#include "support/shell.hpp"

namespace livetls::test {
namespace {

std::string file_name(KeyType type, int which, std::string_view part) {
  return std::string(to_string(type)) + '-' + std::to_string(which) + '.' + std::string(part);
}

/// What an Ed25519 signature is computed from: the seed's SHA-512 (RFC 8032, section 5.1.5).
SecretBytes expanded(const TemporaryDirectory& directory, const PrivateKey& ed25519) {
  const SecretBytes pem = ed25519.to_pem();
  const SecretBytes der = parse_pem(as_text(pem), pem.size()).value().front().der;
  directory.write("seed", as_text(std::span(der).last(32)));
  const std::string hash = must_run(directory.path(), "openssl dgst -sha512 -binary seed");
  SecretBytes key(hash.begin(), hash.end());
  key.at(0) &= 0xf8;
  key.at(31) = static_cast<std::uint8_t>((key[31] & 0x7f) | 0x40);
  return key;
}

void write_pair(const TemporaryDirectory& directory, const Certificate& certificate, int which,
                Needles& needles) {
  const PrivateKey& key = certificate.private_key();
  const KeyType type = key.type();
  directory.write(file_name(type, which, "certificate"), certificate.to_pem());
  std::string_view part = "pkcs8";
  for (const KeyShape& shape : shapes_of(key)) {
    directory.write(file_name(type, which, part), as_text(encode_pem(shape.label, shape.der)));
    part = "old";
  }
  const std::string name = std::string(to_string(type)) + " key " + std::to_string(which);
  needles.add(name, key);
  if (type == KeyType::ed25519) needles.add(name + " expanded", expanded(directory, key));
}

void write_all(const TemporaryDirectory& directory) {
  const auto authority = CertificateAuthority::create().value();
  directory.write("root.pem", authority.root_pem());
  Needles needles;
  for (const KeyType type : KeyFiles::kTypes) {
    for (const int which : {0, 1}) {
      write_pair(directory, authority.issue({.key_type = type}).value(), which, needles);
    }
  }
  directory.write("needles", needles.exported());
}

}  // namespace

KeyFiles::KeyFiles() {
  const pid_t maker = ::fork();
  if (maker < 0) throw std::runtime_error("fork failed");
  if (maker == 0) {
    int status = 0;
    try {
      write_all(directory_);
    } catch (const std::exception& error) {
      std::cerr << "cannot make the key files: " << error.what() << '\n';
      status = 1;
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(maker, &status, 0);
  if (status != 0) throw std::runtime_error("the key files were not made");
  needles_.import(directory_.read("needles"));
}

KeyFiles::Pair KeyFiles::pkcs8(KeyType type, int which) const {
  return {type, directory_ / file_name(type, which, "certificate"),
          directory_ / file_name(type, which, "pkcs8")};
}

KeyFiles::Pair KeyFiles::old_format(KeyType type, int which) const {
  return {type, directory_ / file_name(type, which, "certificate"),
          directory_ / file_name(type, which, "old")};
}

}  // namespace livetls::test
