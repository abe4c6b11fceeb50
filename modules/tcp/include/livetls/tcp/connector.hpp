#pragma once

#include "livetls/net/connector.hpp"

namespace livetls::tcp {

/// The other direction of a Server. An object and no function `connect`, since it has the roots
/// loaded and the sessions that the next connection may resume:
///
///     tcp::Connector connector(manager, {.roots = TrustBundle::load("ca.pem").value()});
///     auto connection = co_await connector.connect({"db.example", 7443});
using Connector = livetls::Connector;
using ConnectorOptions = livetls::ConnectorOptions;
using Target = livetls::Target;

}  // namespace livetls::tcp
