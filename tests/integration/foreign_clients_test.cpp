// What a client that is not ours, Python's ssl on OpenSSL, sees of resumption, of the choice of
// certificates and of client authentication.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>

#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/server.hpp"
#include "support/python_client.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using test::answer_a_line;
using test::PythonClient;

class ForeignClients : public testing::TestWithParam<const char*> {
 protected:
  PythonClient client(PythonClient::Options options = {}) {
    options.version = GetParam();
    return PythonClient(ca.root_file(), server.port(), options);
  }

  /// A file with the certificate and its key, as Python takes it.
  std::string file_of(const Certificate& certificate, const std::string& name) {
    const SecretBytes key = certificate.private_key().to_pem();
    return directory.write(name, certificate.to_pem() + std::string(key.begin(), key.end()))
        .string();
  }

  test::TemporaryDirectory directory;
  test::TestCa ca;
  std::shared_ptr<CertManager> manager = CertManager::create(ca.issue("first")).value();
  test::RunningRuntime runtime;
  tcp::Server server{runtime, manager, answer_a_line};
};

TEST_P(ForeignClients, ResumeAlsoAfterARenewal) {
  PythonClient python = client();
  EXPECT_EQ(python.connect(), "full first");
  EXPECT_EQ(python.connect().substr(0, 7), "resumed");
  ASSERT_TRUE(manager->update(ca.issue("second")));
  EXPECT_EQ(python.connect().substr(0, 7), "resumed");
  EXPECT_EQ(client().connect(), "full second") << "who has no ticket";
}

TEST_P(ForeignClients, ResumeWithTheTicketOfTheEpochBefore) {
  using namespace std::chrono_literals;
  const std::chrono::sys_seconds start =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::atomic<std::chrono::seconds> passed{0s};
  const auto keys = std::make_shared<TicketKeys>(TicketKeys::Options{
      .epoch = 1h, .max_age = 1h, .now = [&] { return start + passed.load(); }});
  const auto own =
      CertManager::create({.default_identity = ca.issue("own")}, {.ticket_keys = keys}).value();
  tcp::Server own_server(runtime, own, answer_a_line);
  for (int epoch = 0; epoch < 3; ++epoch) {
    PythonClient python = client();
    EXPECT_EQ(python.connect("localhost", own_server.port()), "full own");
    passed = passed.load() + 1h;
    EXPECT_EQ(python.connect("localhost", own_server.port()).substr(0, 7), "resumed") << epoch;
  }
}

/// Another server that is not ours: Python's, which requires certificates of its clients. It prints
/// its port, then the length of each ClientHello.
constexpr const char* kOtherServer = R"(
import socket, ssl, sys
root, certificate = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
context.load_verify_locations(root)
context.verify_mode = ssl.CERT_REQUIRED
with socket.create_server(('127.0.0.1', 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        tcp, _ = listener.accept()
        header = tcp.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
        print(int.from_bytes(header[3:], 'big'), flush=True)
        with context.wrap_socket(tcp, server_side=True) as tls:
            tls.recv(16)
            tls.sendall(b'!\n')
)";

/// As after a move from another server. A ticket with a client's certificate in it is long.
TEST_P(ForeignClients, MayBringTheTicketOfAnotherServerHoweverLong) {
  const std::string own = file_of(ca.issue("client"), "client.pem");
  const std::string theirs = file_of(ca.issue("other"), "server.pem");
  test::Subprocess other({"python3", "-c", kOtherServer, ca.root_file(), theirs});
  const auto next_number = [&] { return std::stoi(other.read_until("\n")); };
  const auto port = static_cast<std::uint16_t>(next_number());

  PythonClient python = client({.certificate = own});
  EXPECT_EQ(python.connect("localhost", port), "full other");
  const int without_ticket = next_number();
  EXPECT_EQ(python.connect("localhost", port), "resumed other");
  EXPECT_GT(next_number(), without_ticket + 300) << "the ticket is short";
  EXPECT_EQ(python.connect(), "full first");
  python.connect();  // in TLS 1.2, only this one gets a ticket of ours
  EXPECT_EQ(python.connect().substr(0, 7), "resumed");
}

TEST_P(ForeignClients, DoNotResumeAfterARevocationOrAChangeOfClientAuthentication) {
  PythonClient python = client();
  EXPECT_EQ(python.connect(), "full first");
  manager->ticket_keys()->revoke_all();
  EXPECT_EQ(python.connect(), "full first");
  // In TLS 1.2 the library issues no ticket in the handshake in which it refused one.
  if (GetParam() == std::string("TLSv1_2")) {
    EXPECT_EQ(python.connect(), "full first");
  }
  EXPECT_EQ(python.connect().substr(0, 7), "resumed");
  ASSERT_TRUE(manager->update(
      CertSet{.default_identity = Identity(ca.issue("asking")).with(ClientAuth::request)}));
  EXPECT_EQ(python.connect(), "full asking");
  EXPECT_EQ(python.connect(), "full asking") << "no tickets where clients are asked";
}

TEST_P(ForeignClients, ShowACertificateOfTheAuthorityThatIsTrustedNow) {
  const auto old_root = CertificateAuthority::create().value();
  const auto new_root = CertificateAuthority::create().value();
  const std::string old_file = file_of(old_root.issue().value(), "old.pem");
  const std::string new_file = file_of(new_root.issue().value(), "new.pem");
  CertSet set{.default_identity = Identity(ca.issue("strict")).with(ClientAuth::require_and_verify),
              .client_roots = old_root.trust_bundle()};
  ASSERT_TRUE(manager->update(set));
  PythonClient with_old = client({.certificate = old_file});
  PythonClient with_new = client({.certificate = new_file});
  EXPECT_EQ(client().connect(), "refused");
  EXPECT_EQ(with_old.connect(), "full strict");
  EXPECT_EQ(with_new.connect(), "refused");

  set.client_roots = new_root.trust_bundle();
  ASSERT_TRUE(manager->update(set));
  EXPECT_EQ(with_old.connect(), "refused");
  EXPECT_EQ(with_new.connect(), "full strict");
}

INSTANTIATE_TEST_SUITE_P(Tls, ForeignClients, testing::Values("TLSv1_2", "TLSv1_3"),
                         [](const auto& test) { return std::string(test.param); });

class ForeignTls12Clients : public ForeignClients {};

TEST_P(ForeignTls12Clients, GetTheCertificateThatTheirCipherSuitesAllow) {
  ASSERT_TRUE(manager->update(
      CertSet{.default_identity = Identity({ca.issue("rsa", KeyType::rsa), ca.issue("ecdsa")})}));
  EXPECT_EQ(client().connect(), "full ecdsa");
  EXPECT_EQ(client({.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"}).connect(), "full rsa");
  EXPECT_EQ(client({.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}).connect(), "full ecdsa");
}

INSTANTIATE_TEST_SUITE_P(Tls, ForeignTls12Clients, testing::Values("TLSv1_2"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace livetls
