// When the library calls its SNI callback, and what the answer does. livetls has chosen before, by
// its own reading of the ClientHello: the callback confirms that the library has read the same.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "wolfssl/confirmation.hpp"
#include "wolfssl/context.hpp"
#include "wolfssl/raw_end.hpp"

namespace livetls {
namespace {

using namespace test;

class SniCallbackTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  SniCallbackTest() { on_client_hello(server, callback); }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CtxPtr server = server_ctx(authority.issue().value());
  CtxPtr client = client_ctx(GetParam(), authority.trust_bundle());

  int runs = 0;
  std::string name;
  SniCallback callback = [this](WOLFSSL* ssl, int*) {
    ++runs;
    const char* asked = wolfSSL_get_servername(ssl, WOLFSSL_SNI_HOST_NAME);
    name = asked == nullptr ? "(none)" : asked;
    return kGoOn;
  };
};

INSTANTIATE_TEST_SUITE_P(Versions, SniCallbackTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(SniCallbackTest, RunsOnAClientHelloWithSni) {
  RawPair pair(client, server);
  pair.ask_for("localhost");
  EXPECT_TRUE(pair.handshake().done());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(name, "localhost");
}

TEST_P(SniCallbackTest, RunsAlsoWithoutSni) {
  RawPair pair(client, server);
  EXPECT_TRUE(pair.handshake().done());
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(name, "(none)");
}

TEST_P(SniCallbackTest, ReturningTwoWithAlert112RejectsWithUnrecognizedName) {
  callback = [](WOLFSSL*, int* alert) {
    *alert = 112;
    return kReject;
  };
  RawPair pair(client, server);
  const RawPair::Outcome outcome = pair.handshake();
  EXPECT_FALSE(outcome.done());
  EXPECT_EQ(outcome.client, FATAL_ERROR);
  EXPECT_EQ(alert_received(pair.client), 112);
}

TEST(SniCallbackRetryTest, RunsAgainAfterAHelloRetryRequest) {
  const auto authority = CertificateAuthority::create().value();
  const CtxPtr server = server_ctx(authority.issue().value());
  const CtxPtr client = client_ctx(TlsVersion::tls1_3, authority.trust_bundle());
  int runs = 0;
  SniCallback callback = [&](WOLFSSL*, int*) {
    ++runs;
    return kGoOn;
  };
  on_client_hello(server, callback);
  RawPair pair(client, server);
  pair.provoke_retry();
  EXPECT_TRUE(pair.handshake().done());
  ASSERT_NE(pair.sent_by_server().find(kHelloRetryRequest), std::string::npos);
  EXPECT_EQ(runs, 2);
}

// ---- What livetls makes of it -------------------------------------------------------------------

/// Serves one context, and notes what it is asked to confirm.
class NotedSelection : public ContextSource, public Selection {
 public:
  explicit NotedSelection(const Certificate& certificate)
      : context(ServerContext::build(certificate, {}).value()) {}

  Result<Served> select(const ClientHello&) const override {
    Served served;
    served.context = context;
    served.selection = this;
    return served;
  }

  bool confirms(std::string_view server_name, const ServerContext& with) const override {
    asked.emplace_back(server_name);
    if (throws) throw std::bad_alloc();
    return agrees && &with == context.get();
  }

  std::shared_ptr<const ServerContext> context;
  mutable std::vector<std::string> asked;
  bool agrees = true;
  bool throws = false;
};

class ConfirmationTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  Met connect(const char* server_name) {
    TlsEngine server(std::make_shared<const ServerConfig>(ServerConfig{.contexts = selection}));
    RawEnd client(ctx);
    if (server_name != nullptr) {
      must(wolfSSL_UseSNI(client.ssl.get(), WOLFSSL_SNI_HOST_NAME, server_name,
                          static_cast<unsigned short>(std::string_view(server_name).size())) ==
               WOLFSSL_SUCCESS,
           "a server name");
    }
    return meet(server, client);
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  CtxPtr ctx = client_ctx(GetParam(), authority.trust_bundle());
  std::shared_ptr<NotedSelection> selection =
      std::make_shared<NotedSelection>(authority.issue().value());
};

INSTANTIATE_TEST_SUITE_P(Versions, ConfirmationTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(ConfirmationTest, AsksForTheNameThatTheLibraryHasRead) {
  EXPECT_TRUE(connect("LocalHost").established());
  EXPECT_TRUE(connect(nullptr).established());
  EXPECT_EQ(selection->asked, (std::vector<std::string>{"LocalHost", ""}));
}

TEST_P(ConfirmationTest, ANameThatLeadsElsewhereIsRefused) {
  selection->agrees = false;
  for (const char* name : {"localhost", static_cast<const char*>(nullptr)}) {
    const Met met = connect(name);
    EXPECT_EQ(met.engine.error, Errc::malformed_client_hello) << met.engine.error.message();
    EXPECT_EQ(met.last_words, plain_alert(kIllegalParameter));
  }
  EXPECT_EQ(selection->asked.size(), 2U);
}

TEST_P(ConfirmationTest, OneThatThrowsIsNone) {
  selection->throws = true;
  EXPECT_EQ(connect("localhost").engine.error, Errc::malformed_client_hello);
}

TEST_P(ConfirmationTest, ACallbackThatIsNotCalledConfirmsNothing) {
  wolfSSL_CTX_set_servername_callback(selection->context->state().ctx.get(), nullptr);
  EXPECT_EQ(connect("localhost").engine.error, Errc::tls_failure);
  EXPECT_TRUE(connect(nullptr).established()) << "no name, nothing to confirm";
}

TEST(Confirmation, IsOfTheNameAsItWasSentAndOfTheContext) {
  const NotedSelection selection(CertificateAuthority::create().value().issue().value());
  const Served served = selection.select({}).value();
  const WOLFSSL_CTX* ctx = selection.context->state().ctx.get();
  const wolfssl::Confirmation confirmation{&served, ctx, "localhost"};
  EXPECT_TRUE(confirmation.agrees(ctx, "localhost"));
  EXPECT_FALSE(confirmation.agrees(ctx, "LOCALHOST"));
  EXPECT_FALSE(confirmation.agrees(ctx, ""));
  EXPECT_FALSE(confirmation.agrees(nullptr, "localhost"));
}

}  // namespace
}  // namespace livetls
