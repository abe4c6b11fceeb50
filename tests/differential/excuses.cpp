#include "differential/excuses.hpp"

#include <algorithm>

namespace livetls::test {
namespace {

struct Row {
  std::string name;  ///< in docs/path-validation.md
  std::string judge;
  bool livetls_accepts;
  std::vector<std::string> mutations;  ///< parts of their names
};

const std::vector<Row>& rows() {
  static const std::vector<Row> list = {
      {"Key usage of the leaf", "OpenSSL", false, {"leaf: key usage key"}},
      {"Any purpose", "OpenSSL", true, {"for any purpose"}},
      {"Key identifiers", "OpenSSL", true, {"another key identifier", "another authority's"}},
      {"Namesakes", "OpenSSL", true, {"namesake"}},
      {"Trust anchors without basic constraints", "OpenSSL", false, {"root: no basicConstraints"}},
      {"Extensions in version 1", "OpenSSL", false, {"version 1"}},
      {"URIs without a host name", "OpenSSL", false, {"URI:https://192"}},
      {"A trusted leaf", "OpenSSL", true, {"the leaf is trusted"}},
      {"Trust anchors of version 1", "OpenSSL", true, {"version 1"}},
      {"Wildcards and exclusions", "OpenSSL", false, {"leaf: a wildcard", "DNS:*"}},
      {"Wildcards and exclusions", "Go", false, {"leaf: a wildcard", "DNS:*"}},
      {"Key usage of the leaf", "Go", false, {"leaf: key usage key"}},
      {"Short RSA keys", "Go", false, {"rsa1024"}},
      {"Encoding of names",
       "Go",
       true,
       {"as PrintableString", "as BMPString", "in capitals", "with other spaces"}},
      {"Policies and kinds of constraints",
       "Go",
       true,
       {"requires a policy", "inhibits", "maps 1.2", "registered ID", "the directory"}},
      {"Empty name constraints", "Go", true, {"empty constraints"}},
      {"Distances", "Go", false, {"a distance"}},
      {"Extensions in version 1", "Go", false, {"version 1"}},
      {"Self-issued certificates", "Go", true, {"issued itself a new key"}},
      {"E-mail addresses in the subject", "Go", false, {"emailAddress=me@evil"}},
  };
  return list;
}

bool applies(const Row& row, const Scenario& scenario) {
  return std::ranges::any_of(scenario.mutations, [&](const std::string& mutation) {
    return std::ranges::any_of(row.mutations, [&](const std::string& part) {
      return mutation.find(part) != mutation.npos;
    });
  });
}

}  // namespace

std::optional<std::string> excuse_for(const Scenario& scenario, const std::string& judge,
                                      bool livetls_accepts) {
  for (const Row& row : rows()) {
    if (row.judge == judge && row.livetls_accepts == livetls_accepts && applies(row, scenario)) {
      return row.name;
    }
  }
  return {};
}

std::vector<std::string> excuses_of(const std::string& judge) {
  std::vector<std::string> names;
  for (const Row& row : rows()) {
    if (row.judge == judge) names.push_back(row.name);
  }
  return names;
}

}  // namespace livetls::test
