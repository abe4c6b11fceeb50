#pragma once

#include <boost/beast/websocket/stream.hpp>

#include "connection_stream.hpp"
#include "livetls/async/task.hpp"
#include "livetls/web/request.hpp"

namespace livetls::web {

/// Whether this is a WebSocket's handshake that Beast would take.
bool asks_for_websocket(const Request& request);

/// Answers the handshake. False where it could not be sent, or was not taken. In a source of its
/// own, since it takes a compiler as much memory as all else of a WebSocket.
Task<bool> accept_websocket(boost::beast::websocket::stream<ConnectionStream>& stream,
                            const Request& request);

}  // namespace livetls::web
