// Who is let in, where nodes are found, and whose certificates and cookies are used there.

#include <atomic>

#include "node_test.hpp"

namespace livetls::node {
namespace {

TEST_F(NodeTest, RefusesEachWithItsOwnError) {
  Node b(runtime_, kB, options_for_b());
  const auto error_with = [&](auto change) {
    NodeOptions options = options_for_a(b);
    change(options);
    Node a(runtime_, kA, std::move(options));
    return error_of(a);
  };
  EXPECT_EQ(error_with([](NodeOptions& o) { o.cookie = "other"; }).code, NodeErrc::wrong_cookie);
  EXPECT_EQ(error_with([](NodeOptions& o) { o.routes.clear(); }).code, NodeErrc::no_route);
  EXPECT_EQ(error_with([](NodeOptions& o) { o.routes[0].server_name = "other.example"; }).code,
            Errc::peer_name_mismatch);
  const test::TestCa other;
  EXPECT_EQ(error_with([&](NodeOptions& o) { o.routes[0].roots = other.roots(); }).code,
            Errc::peer_untrusted);
  const auto stranger = [&](NodeOptions& o) {
    CertSet set = set_of("stranger");
    set.default_identity.certificates = {other.issue("stranger")};
    o.cert_manager = CertManager::create(std::move(set)).value();
  };
  EXPECT_EQ(error_with(stranger).code, Errc::alert_received);
  const auto elsewhere = [&](NodeOptions& o) {
    CertSet set = set_of("elsewhere");
    set.default_identity.certificates = {ca_.issue_for("elsewhere.example")};
    o.cert_manager = CertManager::create(std::move(set)).value();
  };
  EXPECT_EQ(error_with(elsewhere).code, NodeErrc::host_not_certified);
  EXPECT_EQ(b.counters().links, 0U);
  EXPECT_EQ(b.counters().messages_received, 0U);
}

TEST_F(NodeTest, RoutesAndAcceptorsMayHaveCookiesOfTheirOwn) {
  NodeOptions options = options_for_b();
  options.acceptors[0].cookie = "of partners";
  Node b(runtime_, kB, std::move(options));
  Node a(runtime_, kA, options_for_a(b));
  EXPECT_EQ(error_of(a).code, NodeErrc::wrong_cookie);
  NodeOptions partner = options_for_a(b);
  partner.routes[0].cookie = "of partners";
  Node c(runtime_, "c@localhost", std::move(partner));
  EXPECT_THAT(ask(c, "whoami"), HasSubstr("c@localhost"));
}

TEST_F(NodeTest, RoutesAndAcceptorsMayHaveCertificatesOfTheirOwn) {
  NodeOptions options = options_for_b();
  options.acceptors[0].cert_manager = manager_of("b's door");
  Node b(runtime_, kB, std::move(options));
  NodeOptions caller = options_for_a(b);
  caller.routes[0].cert_manager = manager_of("a's other face");
  Node a(runtime_, kA, std::move(caller));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a's other face"));
  EXPECT_THAT(a.peers().at(0).certificate.value().subject, HasSubstr("O=b's door"));
}

TEST_F(NodeTest, TheHeaviestRouteIsTriedFirstAndThenTheNext) {
  NodeOptions strict_options = options_for_b();
  strict_options.cookie = "other";
  Node strict(runtime_, kB, std::move(strict_options));
  Node b(runtime_, kB, options_for_b());
  NodeOptions options = options_for_a(b);
  options.routes.push_back({.pattern = "*@localhost", .port = strict.ports()[0], .weight = 2});
  Node a(runtime_, kA, std::move(options));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
  EXPECT_EQ(strict.counters().refused, 1U);
  EXPECT_EQ(b.counters().accepted, 1U);
}

TEST_F(NodeTest, RefusesWhomTheManagerWouldLetInUnverified) {
  CertSet set = set_of("b1");
  set.default_identity.client_auth = ClientAuth::request;
  NodeOptions options = options_for_b();
  options.cert_manager = CertManager::create(std::move(set)).value();
  Node b(runtime_, kB, std::move(options));
  const test::TestCa other;
  CertSet strange = set_of("stranger");
  strange.default_identity.certificates = {other.issue("stranger")};
  NodeOptions caller = options_for_a(b);
  caller.cert_manager = CertManager::create(std::move(strange)).value();
  Node a(runtime_, kA, std::move(caller));
  EXPECT_EQ(error_of(a).code, NodeErrc::peer_not_verified);
}

TEST_F(NodeTest, PlainAndUnverifiedLinksMustBeSaid) {
  NodeOptions plain = options_for_b();
  plain.cert_manager = nullptr;
  EXPECT_THROW(Node(runtime_, kB, plain), std::invalid_argument);
  plain.acceptors[0].plain = true;
  Node b(runtime_, kB, std::move(plain));
  NodeOptions caller = options_for_a(b);
  caller.cert_manager = nullptr;
  caller.routes[0].plain = true;
  Node a(runtime_, kA, std::move(caller));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr("nobody"));
}

TEST_F(NodeTest, SkipVerifyWorksWhereItIsSetAndIsLogged) {
  const test::TestCa other;
  NodeOptions options = options_for_b();
  CertSet set = set_of("b1");
  set.default_identity = Identity(other.issue("strange b")).with(ClientAuth::request);
  options.cert_manager = CertManager::create(std::move(set)).value();
  options.insecure_skip_verify = true;
  Node b(runtime_, kB, std::move(options));
  Node careful(runtime_, "careful@localhost", options_for_a(b));
  EXPECT_EQ(error_of(careful).code, Errc::peer_untrusted);
  NodeOptions caller = options_for_a(b);
  caller.routes[0].insecure_skip_verify = true;
  Node a(runtime_, kA, std::move(caller));
  EXPECT_THAT(ask(a, "whoami"), HasSubstr(kA));
  EXPECT_THAT(log_.text(), HasSubstr("insecure_skip_verify"));
}

TEST_F(NodeTest, AnAcceptorTakesAFreePortOfItsRange) {
  Node first(runtime_, "first@localhost", options_for_b());
  const std::uint16_t taken = first.ports()[0];
  NodeOptions options = options_for_b();
  options.acceptors[0].port = taken;
  EXPECT_THROW(Node(runtime_, kB, options), boost::system::system_error);
  options.acceptors[0].port_range = 50;
  Node b(runtime_, kB, std::move(options));
  EXPECT_GT(b.ports()[0], taken);
  EXPECT_LT(b.ports()[0], taken + 50);
}

TEST_F(NodeTest, ARegistrarTellsWhereNodesAre) {
  class Known final : public Registrar {
   public:
    Task<Result<std::vector<Route>>> resolve(NodeName name) override {
      std::vector<Route> routes;
      if (name.text() == kB) routes.push_back({.port = port});
      co_return routes;
    }
    Task<void> came(NodeName name, std::vector<std::uint16_t> ports) override {
      if (name.text() == kB) port = ports.at(0);
      ++times_came;
      co_return;
    }
    Task<void> went(NodeName) override {
      ++times_went;
      co_return;
    }
    std::atomic<std::uint16_t> port = 0;
    std::atomic<int> times_came = 0;
    std::atomic<int> times_went = 0;
  } known;
  {
    NodeOptions for_b = options_for_b();
    for_b.registrar = &known;
    Node b(runtime_, kB, std::move(for_b));
    NodeOptions for_a = options_for_a(b);
    for_a.routes.clear();
    for_a.registrar = &known;
    Node a(runtime_, kA, std::move(for_a));
    ASSERT_TRUE(eventually([&] { return known.times_came == 2; }));
    EXPECT_THAT(ask(a, "whoami"), HasSubstr("O=a1"));
    EXPECT_EQ(wait(a.request("x@localhost", "whoami", "")).error().code, NodeErrc::no_route);
  }
  EXPECT_EQ(known.times_went, 2);
}

}  // namespace
}  // namespace livetls::node
