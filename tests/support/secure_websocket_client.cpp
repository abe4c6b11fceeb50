#include "support/websocket_client.hpp"

namespace livetls::test {

template class WebSocketClient<TlsStream<TcpSocket>>;

}  // namespace livetls::test
