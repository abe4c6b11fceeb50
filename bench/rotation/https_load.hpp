#pragma once

#include <cstdint>
#include <memory>

#include "livetls/tls/client_context.hpp"

namespace livetls::bench {

/// Makes `connections` full handshakes on 127.0.0.1:`port`, some at a time, with one GET on each,
/// and closes them properly. Throws at the first that fails.
void load_https(std::uint16_t port, const std::shared_ptr<const ClientContext>& context,
                int connections);

}  // namespace livetls::bench
