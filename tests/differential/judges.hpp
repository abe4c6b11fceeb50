#pragma once

#include <optional>
#include <string>
#include <vector>

#include "differential/scenario.hpp"

namespace livetls::test {

/// What an implementation says of a scenario, and why not.
struct Verdict {
  bool accepted;
  std::string reason = {};
};

Verdict verdict_of_livetls(const MadeScenario& scenario);

/// OpenSSL's, with what is configured of it to ask the same: any trusted certificate is an anchor,
/// policies count, nothing below 112 bits of security.
Verdict verdict_of_openssl(const MadeScenario& scenario);

/// Of Go's crypto/x509, of all of them in one process; nothing where there is no Go.
std::optional<std::vector<Verdict>> verdicts_of_go(const std::vector<MadeScenario>& scenarios);

}  // namespace livetls::test
