#include "livetls/pki/trust_bundle.hpp"

#include <algorithm>

#include "base/with_context.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/pem.hpp"
#include "pki/read_file.hpp"
#include "pki/trust_bundle_state.hpp"

namespace livetls {
namespace {

enum class Malformed { refuse, leave_out };

using State = TrustBundle::State;

/// The distinct certificates in `pem`.
Result<std::shared_ptr<const State>> read_certificates(std::string_view pem, Malformed malformed) {
  const auto blocks = parse_pem(pem, TrustBundle::kMaxInputBytes);
  if (!blocks) return blocks.error();
  auto state = std::make_shared<State>();
  std::size_t position = 0;
  for (const auto& block : *blocks) {
    if (!block.is_certificate()) continue;
    ++position;
    std::vector<std::uint8_t> der(block.der.begin(), block.der.end());
    auto parsed = parse_certificate(der);
    if (!parsed) {
      Error error = with_context("certificate " + std::to_string(position), parsed.error());
      if (malformed == Malformed::refuse && error != Errc::unsupported_key) return error;
      state->left_out.push_back(std::move(error));
      continue;
    }
    if (std::ranges::find(state->certificates, der) != state->certificates.end()) continue;
    state->subject_bytes += parsed->subject_der.size();
    state->certificates.push_back(std::move(der));  // its bytes stay where they are
    state->anchors.push_back(std::move(*parsed));
  }
  if (state->certificates.empty()) {
    return state->left_out.empty() ? Error(Errc::no_certificate) : state->left_out.front();
  }
  for (const ParsedCertificate& anchor : state->anchors) {
    state->by_subject.emplace(anchor.subject, &anchor);
  }
  return std::shared_ptr<const State>(std::move(state));
}

}  // namespace

Result<TrustBundle> TrustBundle::load(const std::filesystem::path& file) {
  const auto pem = read_file(file, kMaxInputBytes);
  if (!pem) return with_context(shown_name(file), pem.error());
  auto bundle = from_pem(as_text(*pem));
  if (!bundle) return with_context(shown_name(file), bundle.error());
  return bundle;
}

Result<TrustBundle> TrustBundle::from_pem(std::string_view pem) {
  auto certificates = read_certificates(pem, Malformed::refuse);
  if (!certificates) return certificates.error();
  return TrustBundle(std::move(*certificates));
}

Result<TrustBundle> TrustBundle::system() {
  constexpr const char* kUsualPlaces[] = {
      "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
      "/etc/ssl/ca-bundle.pem",                             // SUSE
      "/etc/ssl/cert.pem",                                  // Alpine, BSD, macOS
  };
  for (const auto* place : kUsualPlaces) {
    const auto pem = read_file(place, kMaxInputBytes);
    if (!pem) continue;
    if (auto certificates = read_certificates(as_text(*pem), Malformed::leave_out)) {
      return TrustBundle(std::move(*certificates));
    }
  }
  return Error{Errc::file_unreadable,
               "the system's certificate store (is ca-certificates "
               "installed?)"};
}

std::span<const std::vector<std::uint8_t>> TrustBundle::certificates() const noexcept {
  return state_->certificates;
}

std::span<const Error> TrustBundle::left_out() const noexcept { return state_->left_out; }

std::size_t TrustBundle::subject_bytes() const noexcept { return state_->subject_bytes; }

bool operator==(const TrustBundle& a, const TrustBundle& b) noexcept {
  return a.state_ == b.state_ || a.state_->certificates == b.state_->certificates;
}

}  // namespace livetls
