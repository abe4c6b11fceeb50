#include "livetls/pki/certificate.hpp"

#include <algorithm>

#include "base/with_context.hpp"
#include "pki/crypto.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/pem.hpp"
#include "pki/read_file.hpp"

namespace livetls {
namespace {

using Chain = std::vector<std::vector<std::uint8_t>>;

Result<Chain> read_chain(std::string_view pem) {
  const auto blocks = parse_pem(pem, Certificate::kMaxInputBytes);
  if (!blocks) return blocks.error();
  Chain chain;
  for (const auto& block : *blocks) {
    if (block.is_certificate()) chain.emplace_back(block.der.begin(), block.der.end());
  }
  if (!chain.empty()) return chain;
  const bool swapped = std::ranges::any_of(*blocks, &PemBlock::is_private_key);
  return swapped ? Errc::certificate_and_key_swapped : Errc::no_certificate;
}

/// Above the leaf, keys of a kind that is not served do no harm: the chain is sent as it is.
Result<std::vector<ParsedCertificate>> parse_chain(const Chain& chain) {
  std::vector<ParsedCertificate> parsed;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    auto certificate = parse_certificate(chain[i]);
    if (certificate) {
      parsed.push_back(std::move(*certificate));
    } else if (i == 0 || certificate.error() != Errc::unsupported_key) {
      const auto position =
          "certificate " + std::to_string(i + 1) + " of " + std::to_string(chain.size());
      return with_context(position, certificate.error());
    }
  }
  return parsed;
}

bool is_in_order(const std::vector<ParsedCertificate>& chain) {
  const auto last = std::ranges::adjacent_find(chain, [](const auto& a, const auto& b) {
    return a.issuer != b.subject || a.is_self_issued();
  });
  return last == chain.end();
}

std::vector<std::uint16_t> signature_schemes_of(const std::vector<ParsedCertificate>& chain) {
  std::vector<std::uint16_t> schemes;
  for (const ParsedCertificate& certificate : chain) {
    const std::uint16_t scheme = certificate.signature_algorithm.scheme;
    if (scheme == 0 || certificate.is_self_issued()) continue;
    if (std::ranges::count(schemes, scheme) == 0) schemes.push_back(scheme);
  }
  return schemes;
}

Error mismatch(const std::vector<ParsedCertificate>& chain, const PrivateKey& key) {
  const auto fits = [&](const ParsedCertificate& certificate) {
    return std::ranges::equal(certificate.public_key_info, key.public_key_der());
  };
  const auto found = std::ranges::find_if(chain, fits);
  if (found == chain.end()) return Errc::key_mismatch;
  return {Errc::key_mismatch,
          "it fits certificate " + std::to_string(found - chain.begin() + 1) + " of the chain"};
}

/// `certificate_name` and `key_name` are where the inputs came from, for errors.
Result<Certificate> parse_pair(std::string_view certificate_pem, std::string_view certificate_name,
                               std::string_view key_pem, std::string_view key_name) {
  auto chain = read_chain(certificate_pem);
  if (!chain) return with_context(certificate_name, chain.error());
  auto key = PrivateKey::from_pem(key_pem);
  if (!key) return with_context(key_name, key.error());

  auto certificate = Certificate::from_parts(std::move(*chain), std::move(*key));
  if (certificate) return certificate;
  std::string where(certificate_name);
  if (certificate.error() == Errc::key_mismatch) where += " and " + std::string(key_name);
  return with_context(where, certificate.error());
}

}  // namespace

struct Certificate::State {
  CertificateInfo leaf;
  Chain chain;
  bool in_order;
  std::vector<std::uint16_t> signature_schemes;
  std::shared_ptr<const PrivateKey> key;
  std::optional<OcspStaple> staple = {};
};

Result<Certificate> Certificate::load(const std::filesystem::path& certificate_file,
                                      const std::filesystem::path& key_file) {
  const auto certificate_pem = read_file(certificate_file, kMaxInputBytes);
  if (!certificate_pem) return with_context(shown_name(certificate_file), certificate_pem.error());
  const auto key_pem = read_file(key_file, kMaxInputBytes);
  if (!key_pem) return with_context(shown_name(key_file), key_pem.error());
  return parse_pair(as_text(*certificate_pem), shown_name(certificate_file), as_text(*key_pem),
                    shown_name(key_file));
}

Result<Certificate> Certificate::from_pem(std::string_view certificate_pem,
                                          std::string_view key_pem) {
  return parse_pair(certificate_pem, "certificate", key_pem, "private key");
}

Result<Certificate> Certificate::from_parts(Chain chain, PrivateKey key) {
  return assemble(std::move(chain), std::make_shared<const PrivateKey>(std::move(key)));
}

Result<Certificate> Certificate::with_chain(Chain chain) const {
  auto certificate = assemble(std::move(chain), state_->key);
  if (!certificate || !state_->staple) return certificate;
  return certificate->with_staple(*state_->staple);
}

Result<Certificate> Certificate::with_staple(OcspStaple staple) const {
  if (staple.serial() != leaf().serial) {
    return Error{Errc::staple_for_another_certificate,
                 "it is for serial number " + staple.serial() + ", not " + leaf().serial};
  }
  State state = *state_;
  state.staple = std::move(staple);
  return Certificate(std::make_shared<const State>(std::move(state)));
}

Result<Certificate> Certificate::assemble(Chain chain, std::shared_ptr<const PrivateKey> key) {
  if (chain.empty()) return Errc::no_certificate;
  auto parsed = parse_chain(chain);
  if (!parsed) return parsed.error();
  auto& leaf = parsed->front();
  if (!std::ranges::equal(leaf.public_key_info, key->public_key_der())) {
    return mismatch(*parsed, *key);
  }
  const auto checked = crypto::check_certificate(leaf, crypto::IfUnreadable::accept);
  if (!checked) return checked.error();
  const bool in_order = is_in_order(*parsed);
  auto schemes = signature_schemes_of(*parsed);
  return Certificate(std::make_shared<const State>(
      State{std::move(leaf.info), std::move(chain), in_order, std::move(schemes), std::move(key)}));
}

const CertificateInfo& Certificate::leaf() const noexcept { return state_->leaf; }

const PrivateKey& Certificate::private_key() const noexcept { return *state_->key; }

const std::optional<OcspStaple>& Certificate::staple() const noexcept { return state_->staple; }

std::span<const std::vector<std::uint8_t>> Certificate::chain() const noexcept {
  return state_->chain;
}

bool Certificate::is_chain_in_order() const noexcept { return state_->in_order; }

std::span<const std::uint16_t> Certificate::signature_schemes() const noexcept {
  return state_->signature_schemes;
}

std::string Certificate::to_pem() const {
  std::string pem;
  for (const auto& der : state_->chain) pem += as_text(encode_pem("CERTIFICATE", der));
  return pem;
}

bool operator==(const Certificate& a, const Certificate& b) noexcept {
  return a.state_ == b.state_ ||
         (a.state_->chain == b.state_->chain && a.state_->staple == b.state_->staple);
}

}  // namespace livetls
