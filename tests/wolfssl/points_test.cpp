// A peer's public key is a point on its curve, or the handshake ends with illegal_parameter
// (RFC 8446, section 4.2.8.2; RFC 8422, section 5.10): what the library computes with another one
// tells about the private key it was computed with. Neither library looks by itself.

#include <gtest/gtest.h>

#include "livetls/base/error.hpp"
#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "wolfssl/context.hpp"
#include "wolfssl/raw_end.hpp"

namespace livetls {
namespace {

using namespace test;

struct NamedCurve {
  const char* name;
  word16 group;
  std::size_t coordinate_bytes;
  KeyType key_type;
};

constexpr NamedCurve kCurves[] = {{"P-256", WOLFSSL_ECC_SECP256R1, 32, KeyType::ecdsa_p256},
                                  {"P-384", WOLFSSL_ECC_SECP384R1, 48, KeyType::ecdsa_p384},
                                  {"P-521", WOLFSSL_ECC_SECP521R1, 66, KeyType::ecdsa_p521}};

/// What becomes of the point that the library sends.
enum class Change { none, off_the_curve, zero, above_the_prime };

constexpr const char* kChanges[] = {"unchanged", "off_the_curve", "zero", "above_the_prime"};

class PointsTest : public testing::TestWithParam<std::tuple<TlsVersion, NamedCurve, Change>> {
 protected:
  TlsVersion version() const { return std::get<0>(GetParam()); }
  NamedCurve curve() const { return std::get<1>(GetParam()); }

  CtxPtr raw_client() const {
    CtxPtr ctx = bare_client_ctx(version());
    must(wolfSSL_CTX_UseSupportedCurve(ctx.get(), curve().group) == WOLFSSL_SUCCESS, "a curve");
    wolfSSL_CTX_set_verify(ctx.get(), WOLFSSL_VERIFY_NONE, nullptr);
    return ctx;
  }

  /// A server that has one curve only.
  CtxPtr raw_server() const {
    CtxPtr ctx = server_ctx(certificate);
    must(wolfSSL_CTX_UseSupportedCurve(ctx.get(), curve().group) == WOLFSSL_SUCCESS, "a curve");
    must(wolfSSL_CTX_set1_curves_list(ctx.get(), curve().name) == WOLFSSL_SUCCESS, "no other");
    return ctx;
  }

  /// Where the coordinates begin that are sent as a key share, or in the key exchange of a server
  /// or a client in TLS 1.2; npos if it has no such point.
  std::size_t find_point(std::string_view bytes) const {
    const auto size = static_cast<char>(1 + 2 * curve().coordinate_bytes);
    const auto group = static_cast<char>(curve().group);
    for (const std::string& before :
         {std::string{0, group, 0, size, 4}, std::string{3, 0, group, size, 4},
          std::string{16, 0, 0, static_cast<char>(size + 1), size, 4}}) {
      const std::size_t at = bytes.find(before);
      if (at != std::string::npos) return at + before.size();
    }
    return std::string::npos;
  }

  /// Changes the first point that passes, and notes that there was one.
  void change(std::string& bytes) {
    const std::size_t at = find_point(bytes);
    if (changed || at == std::string::npos) return;
    changed = true;
    const auto coordinates = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = coordinates + static_cast<std::ptrdiff_t>(2 * curve().coordinate_bytes);
    switch (std::get<2>(GetParam())) {
      case Change::none: break;
      case Change::off_the_curve: *(end - 1) = static_cast<char>(*(end - 1) ^ 1); break;
      case Change::zero: std::fill(coordinates, end, '\0'); break;
      case Change::above_the_prime: std::fill(coordinates, end, '\xff'); break;
    }
  }

  void expect_outcome(const Met& met) {
    ASSERT_TRUE(changed) << "no point was sent";
    if (std::get<2>(GetParam()) == Change::none) {
      EXPECT_TRUE(met.established()) << met.engine.error.message();
      return;
    }
    EXPECT_EQ(met.engine.error, Errc::invalid_key_share) << met.engine.error.message();
    EXPECT_EQ(met.last_words, plain_alert(kIllegalParameter));
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  Certificate certificate = authority.issue({.key_type = curve().key_type}).value();
  bool changed = false;
};

std::string name_of(const testing::TestParamInfo<PointsTest::ParamType>& test) {
  const auto& [version, curve, change] = test.param;
  std::string name = version == TlsVersion::tls1_2 ? "tls12_" : "tls13_";
  name += std::string(curve.name).erase(1, 1) + "_" + kChanges[static_cast<int>(change)];
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, PointsTest,
                         testing::Combine(testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3),
                                          testing::ValuesIn(kCurves),
                                          testing::Values(Change::none, Change::off_the_curve,
                                                          Change::zero, Change::above_the_prime)),
                         name_of);

TEST_P(PointsTest, AServerTakesOnlyThoseOnTheirCurve) {
  const auto manager = CertManager::create(certificate).value();
  TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager}));
  RawEnd client(raw_client());
  expect_outcome(meet(server, client, [this](std::string& bytes) { change(bytes); }));
}

TEST_P(PointsTest, AClientTakesOnlyThoseOnTheirCurve) {
  const auto context =
      ClientContext::create({.roots = authority.trust_bundle(), .policy = {version(), version()}})
          .value();
  TlsEngine client(context, ServerName::parse("localhost").value());
  RawEnd server(raw_server());
  expect_outcome(meet(client, server, [this](std::string& bytes) { change(bytes); }));
}

}  // namespace
}  // namespace livetls
