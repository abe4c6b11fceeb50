#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "secrets/key_files.hpp"
#include "support/engine_pair.hpp"

namespace livetls::test {

inline Certificate load(const KeyFiles::Pair& files) {
  return Certificate::load(files.certificate, files.key).value();
}

/// One full handshake and one line of text in memory, or a resumed one. What the client may resume
/// next time.
inline std::optional<ClientSession> connect(const std::shared_ptr<CertManager>& manager,
                                            const KeyFiles& files, TlsVersion version,
                                            std::optional<ClientSession> session = {},
                                            std::optional<Certificate> certificate = {}) {
  const auto context =
      ClientContext::create({.roots = TrustBundle::load(files.root()).value(),
                             .policy = {.min_version = version, .max_version = version},
                             .certificate = std::move(certificate)})
          .value();
  const bool resumes = session.has_value();
  EnginePair engines(
      TlsEngine(context, ServerName::parse("localhost").value(), std::move(session)),
      TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 4096);
  const auto outcome = engines.handshake();
  if (!outcome.done() || engines.server.resumed() != resumes) {
    throw std::runtime_error("the handshake failed: " + outcome.client.error.message() + " / " +
                             outcome.server.error.message());
  }
  if (EnginePair::send(engines, engines.server, engines.client, "hello").value() != "hello") {
    throw std::runtime_error("the connection does not work");
  }
  const auto kept = engines.client.session();
  engines.shutdown();
  return kept;
}

}  // namespace livetls::test
