#include "differential/judges.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <sstream>

#include "livetls/pki/server_name.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/pem.hpp"
#include "support/programs.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::test {
namespace {

struct FreeX509 {
  void operator()(X509* x) const noexcept { X509_free(x); }
};
using X509Ptr = std::unique_ptr<X509, FreeX509>;

X509Ptr parsed(const Der& der) {
  const unsigned char* begin = der.data();
  return X509Ptr(d2i_X509(nullptr, &begin, static_cast<long>(der.size())));
}

TrustBundle bundle_of(const std::vector<Der>& certificates) {
  std::string pem;
  for (const Der& der : certificates) pem += as_text(encode_pem("CERTIFICATE", der));
  return TrustBundle::from_pem(pem).value();
}

}  // namespace

Verdict verdict_of_livetls(const MadeScenario& scenario) {
  std::string pem;
  const auto leaf = parse_certificate(scenario.sent.front());
  if (!leaf) return {false, leaf.error().message()};
  const bool is_server = scenario.purpose == Purpose::server_auth;
  if (is_server && !leaf->info.matches(ServerName::parse(scenario.host).value())) {
    return {false, "another name"};
  }
  for (const Der& der : scenario.trusted) {
    if (!parse_certificate(der)) return {false, "a root that cannot be read"};
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto path = find_path(scenario.sent, bundle_of(scenario.trusted), scenario.purpose, now);
  if (path) return {true};
  return {false, path.error().message()};
}

Verdict verdict_of_openssl(const MadeScenario& scenario) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      X509_STORE_free);
  for (const Der& der : scenario.trusted) X509_STORE_add_cert(store.get(), parsed(der).get());
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> sent(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); });
  for (const Der& der : scenario.sent) sk_X509_push(sent.get(), parsed(der).release());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), sk_X509_value(sent.get(), 0), sent.get());
  const bool is_server = scenario.purpose == Purpose::server_auth;
  X509_STORE_CTX_set_default(context.get(), is_server ? "ssl_server" : "ssl_client");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(
      parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_server)
    X509_VERIFY_PARAM_set1_host(parameters, scenario.host.data(), scenario.host.size());
  if (X509_verify_cert(context.get()) == 1) return {true};
  return {false, X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))};
}

std::optional<std::vector<Verdict>> verdicts_of_go(const std::vector<MadeScenario>& scenarios) {
  if (!is_installed("go")) return {};
  const TemporaryDirectory directory;
  std::string input;
  const auto hex = [](const Der& der) { return to_hex(der); };
  for (const MadeScenario& scenario : scenarios) {
    input += scenario.purpose == Purpose::server_auth ? "server " : "client ";
    input += scenario.host;
    for (const Der& der : scenario.trusted) input += " root " + hex(der);
    for (const Der& der : scenario.sent) input += " sent " + hex(der);
    input += '\n';
  }
  directory.write("scenarios", input);
  std::istringstream answers(must_run(
      directory.path(), "GO111MODULE=off GOFLAGS= go run " LIVETLS_GO_JUDGE " <scenarios"));
  std::vector<Verdict> verdicts;
  for (std::string line; std::getline(answers, line);) {
    verdicts.push_back(line == "ok" ? Verdict{true} : Verdict{false, line});
  }
  if (verdicts.size() != scenarios.size()) throw std::runtime_error("Go has not judged all chains");
  return verdicts;
}

}  // namespace livetls::test
