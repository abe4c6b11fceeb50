#include "field.hpp"

#include "floors.hpp"

namespace livetls::bench {

Field::Field(Bench& bench, Service service, bool tickets, const std::vector<std::string>& peers)
    : subject_({.service = service, .tickets = tickets, .directory = bench.directory},
               bench.certificates) {
  PeerOptions options{.service = service,
                      .tickets = tickets,
                      .processor = kServerProcessor,
                      .directory = bench.directory};
  if (service == Service::echo) {
    backend_ = std::make_unique<ServerProcess>(plain_echo_server(kLoadProcessor));
    options.echo_backend_port = backend_->port();
  }
  contestants.push_back({"livetls", &subject_.process()});
  for (const std::string& name : peers) {
    if (!Peer::available(name)) continue;
    peers_.push_back(std::make_unique<Peer>(start_peer(name, options, bench.certificates[0])));
    contestants.push_back({display_name(name), &peers_.back()->process()});
  }
  pin_to(kLoadProcessor);
}

}  // namespace livetls::bench
