#pragma once

#include <memory>
#include <string>
#include <vector>

#include "contest.hpp"
#include "measures.hpp"
#include "peers.hpp"
#include "subject.hpp"

namespace livetls::bench {

inline const std::vector<std::string> kHttpsPeers = {"nginx", "haproxy", "asio_ssl"};

/// A livetls server, and the peers that are installed, all of the same certificate and service.
class Field {
 public:
  Field(Bench& bench, Service service, bool tickets, const std::vector<std::string>& peers);

  std::vector<Contestant> contestants;

 private:
  Subject subject_;
  std::unique_ptr<ServerProcess> backend_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace livetls::bench
