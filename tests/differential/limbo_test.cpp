// The cases of x509-limbo (https://x509-limbo.com), where LIVETLS_LIMBO names its limbo.json.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <sstream>

#include "livetls/pki/server_name.hpp"
#include "pki/certificate_path.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/pem.hpp"

namespace livetls::test {
namespace {

namespace json = boost::json;

std::vector<std::uint8_t> der_of(const json::value& pem) {
  const auto blocks = parse_pem(std::string(pem.as_string()), 1 << 20);
  if (!blocks || blocks->empty()) return {};
  return {blocks->front().der.begin(), blocks->front().der.end()};
}

/// "2024-01-01T00:00:00Z"; null stands for now.
std::chrono::sys_seconds time_of(const json::value& text) {
  using namespace std::chrono;
  if (text.is_null()) return floor<seconds>(system_clock::now());
  std::tm parts{};
  std::istringstream(std::string(text.as_string())) >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  return floor<seconds>(system_clock::from_time_t(timegm(&parts)));
}

/// Why not; empty where the chain is accepted.
std::string refusal(const json::object& test) {
  const bool is_server = test.at("validation_kind").as_string() == "SERVER";
  CertificateChain sent = {der_of(test.at("peer_certificate"))};
  for (const auto& pem : test.at("untrusted_intermediates").as_array()) sent.push_back(der_of(pem));
  std::string roots;
  for (const auto& pem : test.at("trusted_certs").as_array()) {
    const auto der = der_of(pem);
    if (parse_certificate(der)) roots += as_text(encode_pem("CERTIFICATE", der));
  }
  const auto trusted = TrustBundle::from_pem(roots);
  if (!trusted) return "no root can be used";
  const auto leaf = parse_certificate_twice(sent.front());
  if (!leaf) return leaf.error().message();
  if (const auto& name = test.at("expected_peer_name"); is_server && name.is_object()) {
    const auto wanted = ServerName::parse(std::string(name.at("value").as_string()));
    if (!wanted) return "no server name";
    if (!leaf->info.matches(*wanted)) return "another name";
  }
  const auto path =
      find_path(sent, *trusted, is_server ? Purpose::server_auth : Purpose::client_auth,
                time_of(test.at("validation_time")));
  return path ? "" : path.error().message();
}

TEST(Limbo, AgreesWithLivetls) {
  const char* file = std::getenv("LIVETLS_LIMBO");
  if (file == nullptr) GTEST_SKIP() << "LIVETLS_LIMBO names no limbo.json";
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const json::value suite = json::parse(text);
  std::size_t agreed = 0;
  for (const json::value& value : suite.at("testcases").as_array()) {
    const json::object& test = value.as_object();
    const std::string reason = refusal(test);
    if ((test.at("expected_result").as_string() == "SUCCESS") == reason.empty()) {
      ++agreed;
      continue;
    }
    ADD_FAILURE() << test.at("id").as_string() << ": " << (reason.empty() ? "accepted" : reason)
                  << "\n"
                  << test.at("description").as_string();
  }
  std::cout << agreed << " of " << suite.at("testcases").as_array().size() << " cases\n";
}

}  // namespace
}  // namespace livetls::test
