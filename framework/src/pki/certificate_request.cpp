#include "pki/certificate_request.hpp"

#include "pki/distinguished_name.hpp"

namespace livetls {

std::chrono::sys_seconds moment(const std::optional<std::chrono::sys_seconds>& now) {
  return now ? *now : std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<PreparedRequest> prepare(const CertificateRequest& request) {
  constexpr std::size_t kMaxCommonName = 64;  // RFC 5280, appendix A.1
  PreparedRequest prepared;
  for (const auto& text : request.names) {
    const auto name = NamePattern::parse(text);
    if (!name) return name.error();
    prepared.names.push_back(name->text());
  }
  std::string common_name;
  if (!prepared.names.empty() && prepared.names.front().size() <= kMaxCommonName) {
    common_name = prepared.names.front();
  }
  prepared.subject = encode_distinguished_name(request.organization, common_name);
  prepared.validity = ValidityPeriod::starting(moment(request.now), request.lifetime);
  return prepared;
}

}  // namespace livetls
