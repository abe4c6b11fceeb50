// An API for clients with certificates:
//
//     mtls cert.pem key.pem clients-ca.pem 8443
//     curl --cacert ca.pem --cert client.pem --key client-key.pem https://localhost:8443/me
//
// Anybody whom the authority has certified may ask; who is admin.example may change something. Both
// the certificate and the authorities are read anew at SIGHUP, and take effect together.

#include <atomic>
#include <boost/describe/class.hpp>
#include <csignal>
#include <iostream>

#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/json.hpp"
#include "livetls/web/middleware/access_log.hpp"
#include "livetls/web/middleware/client_certificate.hpp"
#include "livetls/web/server.hpp"

using namespace livetls;
using web::Json, web::Request;

namespace {

struct Client {
  std::string subject;
  std::vector<std::string> names;
  std::string serial;
};
BOOST_DESCRIBE_STRUCT(Client, (), (subject, names, serial))

struct Setting {
  std::int64_t value = 0;
};
BOOST_DESCRIBE_STRUCT(Setting, (), (value))

bool is_admin(const CertificateInfo& client) {
  return client.matches(ServerName::parse("admin.example").value());
}

web::Router routes(std::atomic<std::int64_t>& value) {
  web::Router router;
  router.use(web::access_log()).use(web::require_client_certificate());
  router.get("/me", [](Request& request) {
    const auto& client = *request.get<CertificateInfo>();
    return Client{client.subject, client.dns_names, client.serial};
  });
  router.get("/setting", [&] { return Setting{value}; });
  router.group("/setting", [&](web::Router& admin) {
    admin.use(web::require_client_certificate(is_admin));
    admin.put("", [&](Json<Setting> wanted) {
      value = wanted->value;
      return *wanted;
    });
  });
  return router;
}

Result<CertSet> load(char** files) {
  const auto certificate = Certificate::load(files[1], files[2]);
  if (!certificate) return certificate.error();
  const auto authorities = TrustBundle::load(files[3]);
  if (!authorities) return authorities.error();
  return CertSet{.default_identity = Identity(*certificate).with(ClientAuth::require_and_verify),
                 .client_roots = *authorities};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: mtls CERT_FILE KEY_FILE CLIENT_CA_FILE PORT");

  std::atomic<std::int64_t> value = 0;
  Runtime runtime;
  const auto manager = CertManager::create(load(argv).value()).value();
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[4]));
  web::Server server(runtime, manager, routes(value), {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load(argv);
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cerr << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "https://localhost:" << server.port() << "/me" << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "mtls: " << error.what() << '\n';
  return 1;
}
