#include "support/http_client.hpp"

namespace livetls::test {

template class HttpClient<TcpSocket>;
template class HttpClient<TlsStream<TcpSocket>>;

}  // namespace livetls::test
