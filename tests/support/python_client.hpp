#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "livetls/net/connection.hpp"
#include "support/subprocess.hpp"

namespace livetls::test {

/// What the servers do that it connects to.
inline Task<void> answer_a_line(Connection& connection) {
  std::array<char, 16> line;
  const auto bytes = co_await connection.read_some(boost::asio::buffer(line));
  if (bytes && *bytes > 0) co_await connection.write("!\n");
}

/// A client that is not ours: Python's ssl, on OpenSSL. Each connection offers the session of the
/// one before, wherever that went, sends a line and waits for the answer.
class PythonClient {
 public:
  struct Options {
    const char* version = "";      // "TLSv1_2" or "TLSv1_3"
    std::string ciphers = {};      // of TLS 1.2; its defaults when empty
    std::string certificate = {};  // a file with its key
    bool checks_name = true;       // whether the server's certificate has the name it asked for
    bool tickets = true;
  };

  /// Trusts the given root only.
  PythonClient(const std::string& root_file, std::uint16_t port, const Options& options)
      : port_(port),
        process_({"python3", "-c", kProgram, root_file, options.version, options.ciphers,
                  options.certificate, options.checks_name ? "checks" : "",
                  options.tickets ? "tickets" : ""}) {}

  /// "refused", or "full" or "resumed" and the organisation in the server's certificate; after
  /// resumption, in the one that was shown when the session was made.
  std::string connect() { return connect("localhost", port_); }

  /// Asks for a name as it is spelled; for none, where it is empty.
  std::string connect(const std::string& name) { return connect(name, port_); }
  std::string connect(const std::string& name, std::uint16_t port) {
    process_.write(std::to_string(port) + " " + name + "\n");
    std::string answer = process_.read_until("\n");
    answer.pop_back();
    return answer;
  }

 private:
  static constexpr const char* kProgram = R"(
import socket, ssl, sys
root, version, ciphers, certificate, checks_name, tickets = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
context.check_hostname = bool(checks_name)
if ciphers: context.set_ciphers(ciphers)
if certificate: context.load_cert_chain(certificate)
if not tickets: context.options |= ssl.OP_NO_TICKET
session = None
for line in sys.stdin:
    port, name = line.rstrip('\n').split(' ')
    try:
        with socket.create_connection(('127.0.0.1', int(port)), timeout=20) as tcp:
            with context.wrap_socket(tcp, server_hostname=name or None, session=session) as tls:
                tls.sendall(b'?\n')
                if not tls.recv(1000): raise ssl.SSLError('closed')
                subject = dict(part[0] for part in tls.getpeercert()['subject'])
                print('resumed' if tls.session_reused else 'full', subject['organizationName'],
                      flush=True)
                session = tls.session
    except (ssl.SSLError, ConnectionError) as error:
        print('refused', flush=True)
)";

  std::uint16_t port_;
  Subprocess process_;
};

}  // namespace livetls::test
