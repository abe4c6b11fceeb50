// Which returning clients resume, over real TLS 1.3 handshakes in memory. For TLS 1.2, see the
// integration test with openssl's client.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "support/client_hello_builder.hpp"
#include "support/engine_pair.hpp"

namespace livetls {
namespace {

using namespace std::chrono_literals;
using test::EnginePair;

class ResumptionTest : public ::testing::Test {
 protected:
  std::shared_ptr<CertManager> managed(const CertSet& set) {
    return CertManager::create(set, {.now = [this] { return now; }, .ticket_keys = keys}).value();
  }

  EnginePair connect(const std::shared_ptr<CertManager>& manager,
                     std::optional<ClientSession> session = {},
                     std::optional<Certificate> certificate = {}, const char* name = "localhost") {
    const auto context = ClientContext::create({.roots = authority.trust_bundle(),
                                                .certificate = std::move(certificate)})
                             .value();
    EnginePair engines(
        TlsEngine(context, ServerName::parse(name).value(), std::move(session)),
        TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})), 1024);
    const auto outcome = engines.handshake();
    EXPECT_TRUE(outcome.done()) << outcome.client.error.message() << " / "
                                << outcome.server.error.message();
    EXPECT_EQ(EnginePair::send(engines, engines.server, engines.client, "hello").value(), "hello");
    EXPECT_EQ(engines.client.resumed(), engines.server.resumed());
    return engines;
  }

  bool resumes(const std::shared_ptr<CertManager>& manager, const ClientSession& session) {
    return connect(manager, session).server.resumed();
  }

  Certificate issue(std::vector<std::string> names = {"localhost"}) {
    return authority.issue({.names = std::move(names), .lifetime = 365 * 24h, .now = now}).value();
  }

  std::chrono::sys_seconds now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::shared_ptr<TicketKeys> keys = std::make_shared<TicketKeys>(
      TicketKeys::Options{.epoch = 8h, .max_age = 8h, .now = [this] { return now; }});
  CertificateAuthority authority = CertificateAuthority::create().value();
};

TEST_F(ResumptionTest, AReturningClientResumesAlsoAfterTheCertificateWasRenewed) {
  const auto manager = managed({.default_identity = issue()});
  const EnginePair first = connect(manager);
  EXPECT_FALSE(first.server.resumed());
  const auto session = first.client.session();
  ASSERT_TRUE(session.has_value());
  EXPECT_TRUE(resumes(manager, *session));
  ASSERT_TRUE(manager->update(issue()));
  EXPECT_TRUE(resumes(manager, *session));
}

/// Each comes back after a renewal, within the age of its session, all through a day in which
/// ticket secrets change three times.
TEST_F(ResumptionTest, AllReturningClientsResumeThroughRenewalsAndTicketEpochs) {
  const auto manager = managed({.default_identity = issue()});
  const auto renewed = [this, start = now] {
    return authority.issue({.names = {"localhost"}, .lifetime = 365 * 24h, .now = start}).value();
  };
  constexpr int kClients = 144;
  int resumed = 0;
  for (int i = 0; i < kClients; ++i) {
    const auto session = connect(manager).client.session().value();
    ASSERT_TRUE(manager->update(renewed()));
    now += 10min;
    resumed += resumes(manager, session);
  }
  EXPECT_EQ(resumed, kClients);
}

TEST_F(ResumptionTest, AClientResumesOnlyWhatItWouldHaveAcceptedAnew) {
  const auto manager = managed({.default_identity = issue({"localhost", "other.example"})});
  const auto config = std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager});
  const auto session_of = [&](ClientOptions options, std::optional<ClientSession> earlier,
                              const char* name, bool resumed) {
    EnginePair engines(TlsEngine(ClientContext::create(std::move(options)).value(),
                                 ServerName::parse(name).value(), std::move(earlier)),
                       TlsEngine(config), 4096);
    EXPECT_TRUE(engines.handshake().done());
    EXPECT_TRUE(EnginePair::send(engines, engines.server, engines.client, "x"));
    EXPECT_EQ(engines.client.resumed(), resumed);
    EXPECT_TRUE(engines.client.peer_certificate().has_value());
    return std::pair(engines.client.session().value(), engines.client.peer_is_verified());
  };
  const ClientOptions careless{.insecure_skip_verify = true};
  const ClientOptions careful{.roots = authority.trust_bundle()};
  const auto [unverified, no] = session_of(careless, {}, "localhost", false);
  EXPECT_FALSE(no);
  session_of(careless, unverified, "localhost", true);
  const auto [verified, yes] = session_of(careful, unverified, "localhost", false);
  EXPECT_TRUE(yes);
  session_of(careful, verified, "other.example", false);
  EXPECT_TRUE(session_of(careful, verified, "localhost", true).second);
  ClientOptions alice = careful, bob = careful;
  alice.certificate = issue({"alice"});
  bob.certificate = issue({"bob"});
  const auto [of_alice, certain] = session_of(alice, {}, "localhost", false);
  session_of(bob, of_alice, "localhost", false);  // the server would take him for her
  session_of(alice, of_alice, "localhost", true);
  const auto others = CertificateAuthority::create().value();
  EnginePair distrusting(TlsEngine(ClientContext::create({.roots = others.trust_bundle()}).value(),
                                   ServerName::parse("localhost").value(), verified),
                         TlsEngine(config), 4096);
  EXPECT_FALSE(distrusting.handshake().done());
}

TEST_F(ResumptionTest, TheTicketMayLeaveWithTheFirstWrite) {
  const auto manager = managed({.default_identity = issue()});
  const auto context = ClientContext::create({.roots = authority.trust_bundle()}).value();
  EnginePair engines(
      TlsEngine(context, ServerName::parse("localhost").value()),
      TlsEngine(std::make_shared<const ServerConfig>(ServerConfig{.contexts = manager})),
      64 * 1024);
  const auto outcome = engines.handshake();
  ASSERT_TRUE(outcome.done());
  EXPECT_TRUE(outcome.server.output_may_wait);
  EXPECT_FALSE(outcome.client.output_may_wait);
}

TEST_F(ResumptionTest, OtherNamesOrProtocolsEndIt) {
  const auto manager = managed({.default_identity = issue()});
  const auto session = connect(manager).client.session().value();
  ASSERT_TRUE(manager->update(issue({"localhost", "more.example"})));
  EXPECT_FALSE(resumes(manager, session));
  ASSERT_TRUE(manager->update({.default_identity = Identity(issue()).with_alpn({"h2"})}));
  EXPECT_FALSE(resumes(manager, session));
  ASSERT_TRUE(manager->update({.default_identity = issue()}));
  EXPECT_TRUE(resumes(manager, session));
}

TEST_F(ResumptionTest, AChangeOfOneIdentityLeavesTheTicketsOfOthers) {
  const CertSet before{.default_identity = issue(),
                       .identities = {{"a.example", issue({"a.example"})}}};
  const auto manager = managed(before);
  const auto of_default = connect(manager).client.session().value();
  const auto of_a = connect(manager, {}, {}, "a.example").client.session().value();
  CertSet after = before;
  after.identities.insert_or_assign("a.example", issue({"a.example", "b.example"}));
  ASSERT_TRUE(manager->update(after));
  EXPECT_TRUE(resumes(manager, of_default));
  EXPECT_FALSE(connect(manager, of_a, {}, "a.example").server.resumed());
}

TEST_F(ResumptionTest, NoTicketGetsIntoAListenerThatAsksForClientCertificates) {
  const auto open = managed({.default_identity = issue()});
  const auto session = connect(open).client.session().value();
  const auto strict =
      managed({.default_identity = Identity(issue()).with(ClientAuth::verify_if_given),
               .client_roots = authority.trust_bundle()});
  EXPECT_FALSE(resumes(strict, session));
}

TEST_F(ResumptionTest, WhereClientsAreAskedForCertificatesThereAreNoTickets) {
  for (const ClientAuth mode : {ClientAuth::request, ClientAuth::require_any,
                                ClientAuth::verify_if_given, ClientAuth::require_and_verify}) {
    const auto manager = managed({.default_identity = Identity(issue()).with(mode),
                                  .client_roots = authority.trust_bundle()});
    EXPECT_FALSE(connect(manager, {}, issue()).client.session().has_value()) << to_string(mode);
  }
}

TEST_F(ResumptionTest, WithoutTicketsNobodyResumes) {
  const auto manager =
      CertManager::create(CertSet{.default_identity = issue()}, {.session_tickets = false}).value();
  EXPECT_FALSE(connect(manager).client.session().has_value());
}

TEST_F(ResumptionTest, ResumingDoesNotExtendTheAge) {
  const auto manager = managed({.default_identity = issue()});
  auto session = connect(manager).client.session().value();
  now += 5h;
  EnginePair second = connect(manager, session);
  ASSERT_TRUE(second.server.resumed());
  session = second.client.session().value_or(session);
  now += 4h;  // nine since the full handshake, four since the last ticket
  EXPECT_FALSE(resumes(manager, session));
}

TEST_F(ResumptionTest, RevokedTicketsDoNotOpen) {
  const auto manager = managed({.default_identity = issue()});
  const auto session = connect(manager).client.session().value();
  keys->revoke_all();
  EXPECT_FALSE(resumes(manager, session));
}

TEST_F(ResumptionTest, MachinesThatShareTheSecretsResumeEachOthersSessions) {
  const auto here = managed({.default_identity = issue()});
  const auto session = connect(here).client.session().value();
  const auto there_keys =
      std::make_shared<TicketKeys>(TicketKeys::Options{.now = [this] { return now; }});
  const auto there = CertManager::create(CertSet{.default_identity = issue()},
                                         {.now = [this] { return now; }, .ticket_keys = there_keys})
                         .value();
  EXPECT_FALSE(resumes(there, session));
  ASSERT_TRUE(there_keys->import_secrets(keys->export_secrets()));
  EXPECT_TRUE(resumes(there, session));
}

/// A ClientHello with a ticket that says of itself that `sealed` bytes of it are sealed.
test::Bytes hello_with_ticket(TlsVersion version, std::size_t size, std::size_t sealed) {
  test::Bytes ticket(size, 7);
  ticket[32] = 0;
  ticket[33] = static_cast<std::uint8_t>(sealed);
  test::ClientHelloBuilder builder;
  builder.with_server_name("localhost")
      .with(10, test::prefixed(2, test::code_points({0x001d, 0x0017})))
      .with(13, test::prefixed(2, test::code_points({0x0403})));
  if (version == TlsVersion::tls1_2) return builder.with(35, ticket).records();

  test::Bytes share = test::code_points({0x001d});
  test::append(share, test::prefixed(2, test::Bytes(32, 9)));
  test::Bytes identity = test::prefixed(2, ticket);
  identity.resize(identity.size() + 4);  // its obfuscated age
  test::Bytes offered = test::prefixed(2, identity);
  test::append(offered, test::prefixed(2, test::prefixed(1, test::Bytes(32, 3))));
  return builder.with(43, test::prefixed(1, test::code_points({0x0304})))
      .with(45, {1, 1})
      .with(51, test::prefixed(2, share))
      .with(41, offered)
      .records();
}

// A sanitizer sees it if anything behind the ticket is read.
TEST_F(ResumptionTest, ATicketThatLiesAboutItsLengthIsNotResumedAndNothingBehindItIsRead) {
  constexpr std::size_t kAround = 66;  // name, iv, length and mac
  const auto config =
      std::make_shared<const ServerConfig>(ServerConfig{.contexts = managed({issue()})});
  for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    for (std::size_t size = kAround; size <= 256; ++size) {
      for (const std::size_t more : {0U, 1U, 8U, 15U, 16U, 24U, 31U, 32U, 33U}) {
        const std::size_t sealed = size - kAround + more;
        TlsEngine server(config);
        const auto hello = hello_with_ticket(version, size, sealed);
        ASSERT_EQ(boost::asio::buffer_copy(server.input_space(), boost::asio::buffer(hello)),
                  hello.size());
        server.input_arrived(hello.size());
        const auto step = server.handshake();
        // TLS 1.2 with a ticket longer than any of its own: there wolfSSL gives up.
        const bool gave_up = version == TlsVersion::tls1_2 && size > 200 &&
                             step.next == TlsEngine::Step::Next::failed;
        const bool goes_on =
            step.next == TlsEngine::Step::Next::need_input && server.output_size() > 0;
        EXPECT_TRUE(gave_up || goes_on) << to_string(version) << ", " << size << " bytes, "
                                        << sealed << ": " << step.error.message();
      }
    }
  }
}

class TicketKeysTest : public ::testing::Test {
 protected:
  TicketKeys::Sealed seal(const TicketKeys& with) {
    ticket.assign(64, 7);
    return with.seal(ticket, policy, now).value();
  }

  std::chrono::sys_seconds now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)};
  TicketKeys keys{{.epoch = 1h, .max_age = 24h, .now = [this] { return now; }}};
  TicketKeys::PolicyDigest policy{1};
  std::vector<std::uint8_t> ticket;
};

TEST_F(TicketKeysTest, ATicketOpensInItsEpochAndTheNextOneOnly) {
  const auto sealed = seal(keys);
  const auto opens = [&] {
    auto copy = ticket;
    return keys.open(copy, sealed, policy);
  };
  EXPECT_FALSE(opens().value().renew);
  now += 1h;
  EXPECT_TRUE(opens().value().renew);
  now += 1h;
  EXPECT_EQ(opens().error(), Errc::ticket_refused);
}

TEST_F(TicketKeysTest, KnowTheirTicketsByTheNameOfTheEpoch) {
  const auto sealed = seal(keys);
  EXPECT_TRUE(keys.know(sealed.name));
  EXPECT_FALSE(keys.know(std::span(sealed.name).first(8)));
  keys.revoke_all();
  EXPECT_FALSE(keys.know(sealed.name));
}

TEST_F(TicketKeysTest, AnyChangedByteMakesItUseless) {
  const auto sealed = seal(keys);
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    auto copy = ticket;
    copy[i] ^= 1;
    EXPECT_EQ(keys.open(copy, sealed, policy).error(), Errc::ticket_refused);
  }
  auto other = sealed;
  other.name[0] ^= 1;
  EXPECT_EQ(keys.open(ticket, other, policy).error(), Errc::ticket_refused);
  EXPECT_EQ(keys.open(ticket, sealed, {2}).error(), Errc::ticket_refused);
}

TEST_F(TicketKeysTest, TheNextEpochsTicketsOpenAlready) {
  TicketKeys ahead{{.epoch = 1h, .max_age = 24h, .now = [this] { return now + 61min; }}};
  ASSERT_TRUE(ahead.import_secrets(keys.export_secrets()));
  const auto sealed = seal(ahead);
  EXPECT_TRUE(keys.open(ticket, sealed, policy));
}

TEST_F(TicketKeysTest, SecretsThatAreNoneAreRefusedAndChangeNothing) {
  const auto sealed = seal(keys);
  auto broken = keys.export_secrets();
  broken[0] ^= 1;
  EXPECT_EQ(keys.import_secrets(broken).error(), Errc::ticket_secrets_malformed);
  broken.pop_back();
  EXPECT_EQ(keys.import_secrets(broken).error(), Errc::ticket_secrets_malformed);
  EXPECT_TRUE(keys.open(ticket, sealed, policy));
}

// Which of the two secrets a ticket was sealed with could not be told any more.
TEST_F(TicketKeysTest, SecretsOfWhichTwoHaveOneNameAreRefusedAndChangeNothing) {
  constexpr std::ptrdiff_t kFirst = 16, kNext = 48;
  const auto sealed = seal(keys);
  const auto exported = keys.export_secrets();
  for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 2), std::pair(2, 0)}) {
    auto broken = exported;
    std::copy_n(exported.begin() + kFirst + from * kNext, TicketKeys::kNameBytes,
                broken.begin() + kFirst + to * kNext);
    EXPECT_EQ(keys.import_secrets(broken).error(), Errc::ticket_secrets_malformed);
  }
  EXPECT_TRUE(keys.open(ticket, sealed, policy));
}

TEST_F(TicketKeysTest, ATimeAtEitherEndOfWhatANumberHoldsIsRefused) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t seconds : {Limits::min(), Limits::max()}) {
    ticket.assign(64, 7);
    const auto authenticated_at = std::chrono::sys_seconds(std::chrono::seconds(seconds));
    const auto sealed = keys.seal(ticket, policy, authenticated_at).value();
    EXPECT_EQ(keys.open(ticket, sealed, policy).error(), Errc::ticket_refused);
  }
}

}  // namespace
}  // namespace livetls
