#include "support/websocket_client.hpp"

namespace livetls::test {

template class WebSocketClient<TcpSocket>;

}  // namespace livetls::test
