#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "livetls/pki/certificate_info.hpp"
#include "livetls/rotation/event_log.hpp"
#include "livetls/rotation/generations.hpp"
#include "livetls/tls/client_auth.hpp"

namespace livetls {

/// All that is to be known of a manager at one moment, read from what is served now.
struct Status {
  struct ServedCertificate {
    CertificateInfo leaf;
    std::int64_t days_left;  ///< whole days to its expiry; negative when it has expired

    /// When its OCSP staple becomes stale, and is sent no more; empty where there is none.
    std::optional<std::chrono::sys_seconds> staple_until;
  };

  struct ServedIdentity {
    std::string name;  ///< "default" for the default
    ClientAuth client_auth;
    std::vector<ServedCertificate> certificates;  ///< in the order in which clients get them
    HandshakeTotals handshakes;                   ///< under this name, since it is served
  };

  struct Trial {
    std::uint64_t generation;
    std::chrono::steady_clock::time_point until;
  };

  struct Scheduled {
    std::uint64_t id;
    std::chrono::sys_seconds at;
  };

  std::uint64_t generation = 0;
  std::chrono::system_clock::time_point published_at = {};
  std::vector<ServedIdentity> identities = {};     ///< the default first, the others by name
  std::vector<Generations::Use> generations = {};  ///< in memory, the oldest first
  std::size_t history = 0;                         ///< generations that can be rolled back to
  std::optional<Trial> trial = {};
  std::vector<Scheduled> scheduled;                                 ///< the next first
  std::optional<std::chrono::sys_seconds> ticket_epoch_until = {};  ///< empty: there are no tickets
  std::size_t revoked_keys = 0;
  std::vector<Event> events = {};  ///< the latest, the oldest of them first
};

}  // namespace livetls
