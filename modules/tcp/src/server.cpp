#include "livetls/tcp/server.hpp"

#include <utility>

namespace livetls::tcp {

Server::Server(Runtime& runtime, std::shared_ptr<CertManager> manager, Handler handler,
               ServerOptions options)
    : listener_(runtime, std::move(manager), std::move(handler), std::move(options)) {}

}  // namespace livetls::tcp
