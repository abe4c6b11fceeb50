// Ways around client authentication that other servers have had: a session of a listener or a name
// that asks for nothing, a name in another spelling or under a wildcard, no name at all. For a
// ClientHello in fragments, see fragmented_hello_test.

#include <gtest/gtest.h>

#include <array>
#include <mutex>

#include "livetls/net/listener.hpp"
#include "support/eventually.hpp"
#include "support/python_client.hpp"
#include "support/running_runtime.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using test::answer_a_line;
using test::PythonClient;

class BypassTest : public testing::TestWithParam<const char*> {
 protected:
  Identity open(const std::string& organization) { return ca.issue(organization); }

  Identity strict(const std::string& organization) {
    return Identity(ca.issue(organization)).with(ClientAuth::require_and_verify);
  }

  std::shared_ptr<CertManager> managed(CertSet set, std::shared_ptr<TicketKeys> keys = {}) {
    set.client_roots = client_ca.trust_bundle();
    return CertManager::create(std::move(set), {.ticket_keys = std::move(keys)}).value();
  }

  std::unique_ptr<Listener> listen(const std::shared_ptr<CertManager>& manager) {
    const auto note_the_name = [this](Connection& connection) {
      const std::scoped_lock lock(mutex_);
      last_name_ = connection.server_name();
      return answer_a_line(connection);
    };
    return std::make_unique<Listener>(runtime, manager, note_the_name,
                                      ListenerOptions{.address = "127.0.0.1"});
  }

  PythonClient python_client(const Listener& of, bool tickets = true) {
    return PythonClient(ca.root_file(), of.port(),
                        {.version = GetParam(), .checks_name = false, .tickets = tickets});
  }

  /// Has a certificate of the authority that is trusted.
  PythonClient friendly(const Listener& of) {
    const Certificate certificate = client_ca.issue().value();
    const SecretBytes key = certificate.private_key().to_pem();
    const std::string pem = certificate.to_pem() + std::string(key.begin(), key.end());
    return PythonClient(ca.root_file(), of.port(),
                        {.version = GetParam(),
                         .certificate = directory.write("client.pem", pem).string(),
                         .checks_name = false});
  }

  /// For lack of a certificate, and not for anything else that might go wrong.
  static void expect_refused(Listener& by, PythonClient& client, const std::string& name) {
    const std::uint64_t before = by.counters().client_certificate;
    EXPECT_EQ(client.connect(name, by.port()), "refused") << name;
    // The alert reaches the client before the server has counted.
    EXPECT_TRUE(test::eventually([&] { return by.counters().client_certificate == before + 1; }))
        << name;
  }

  /// Of the last connection that got in, as the client sent it.
  std::string last_name() {
    const std::scoped_lock lock(mutex_);
    return last_name_;
  }

  test::TemporaryDirectory directory;
  test::TestCa ca;
  CertificateAuthority client_ca = CertificateAuthority::create().value();
  test::RunningRuntime runtime;

 private:
  std::mutex mutex_;
  std::string last_name_;
};

INSTANTIATE_TEST_SUITE_P(Tls, BypassTest, testing::Values("TLSv1_2", "TLSv1_3"),
                         [](const auto& test) { return std::string(test.param); });

// ---- Sessions ----------------------------------------------------------------------------------

TEST_P(BypassTest, ATicketOfAnOpenListenerIsNoWayIntoAStrictOneWithTheSameKeys) {
  const auto keys = std::make_shared<TicketKeys>();
  const auto here = listen(managed({.default_identity = open("open")}, keys));
  const auto there = listen(managed({.default_identity = strict("strict")}, keys));
  PythonClient client = python_client(*here);
  ASSERT_EQ(client.connect(), "full open");
  ASSERT_EQ(client.connect().substr(0, 7), "resumed");
  expect_refused(*there, client, "localhost");
}

TEST_P(BypassTest, ATicketOfAnOpenNameIsNoWayIntoAStrictNameOfTheSameManager) {
  const auto manager = managed({.default_identity = strict("default"),
                                .identities = {{"public.example.com", open("public")},
                                               {"internal.example.com", strict("internal")}}});
  const auto first = listen(manager);
  const auto second = listen(manager);
  for (Listener* listener : {first.get(), second.get()}) {
    for (const char* name : {"internal.example.com", "unknown.example.com", ""}) {
      PythonClient client = python_client(*first);
      ASSERT_EQ(client.connect("public.example.com"), "full public");
      ASSERT_EQ(client.connect("public.example.com").substr(0, 7), "resumed");
      expect_refused(*listener, client, name);
    }
  }
}

TEST_P(BypassTest, ATicketIsNoWayInOnceItsListenerHasBecomeStrict) {
  const auto manager = managed({.default_identity = open("open")});
  const auto listener = listen(manager);
  PythonClient client = python_client(*listener);
  ASSERT_EQ(client.connect(), "full open");
  ASSERT_EQ(client.connect().substr(0, 7), "resumed");
  CertSet set = manager->snapshot()->set();
  set.default_identity = strict("strict");
  ASSERT_TRUE(manager->update(set));
  expect_refused(*listener, client, "localhost");
}

// Without tickets, TLS 1.2 resumes by an id in a cache that is the whole process's.
TEST_P(BypassTest, ASessionWithoutATicketIsNoWayInAnywhere) {
  const auto here = listen(managed({.default_identity = open("open")}));
  const auto there = listen(managed({.default_identity = strict("strict")}));
  PythonClient client = python_client(*here, false);
  ASSERT_EQ(client.connect(), "full open");
  expect_refused(*there, client, "localhost");
}

// ---- Names -------------------------------------------------------------------------------------

constexpr std::array kSpellings = {"internal.example.com", "INTERNAL.Example.COM",
                                   "internal.example.com.", "Internal.example.com."};

TEST_P(BypassTest, AStrictNameIsStrictInEverySpellingAlsoBesideAnOpenWildcard) {
  const auto listener = listen(managed({.default_identity = strict("default"),
                                        .identities = {{"internal.example.com", strict("internal")},
                                                       {"*.example.com", open("wildcard")}}}));
  PythonClient client = python_client(*listener);
  PythonClient with_certificate = friendly(*listener);
  EXPECT_EQ(client.connect("other.example.com"), "full wildcard");
  for (const char* name : kSpellings) {
    expect_refused(*listener, client, name);
    EXPECT_EQ(with_certificate.connect(name), "full internal");
    EXPECT_EQ(last_name(), name);
  }
}

TEST_P(BypassTest, AStrictWildcardIsStrictInEverySpellingAlsoBesideAnOpenName) {
  const auto listener = listen(managed({.default_identity = strict("default"),
                                        .identities = {{"public.example.com", open("public")},
                                                       {"*.example.com", strict("wildcard")}}}));
  PythonClient client = python_client(*listener);
  PythonClient with_certificate = friendly(*listener);
  EXPECT_EQ(client.connect("PUBLIC.example.com."), "full public");
  for (const char* name : kSpellings) {
    expect_refused(*listener, client, name);
    EXPECT_EQ(with_certificate.connect(name), "full wildcard");
    EXPECT_EQ(last_name(), name);
  }
}

TEST_P(BypassTest, NoNameAndNamesThatNobodyHasAreAskedForACertificate) {
  const auto listener = listen(managed({.default_identity = strict("default"),
                                        .identities = {{"public.example.com", open("public")},
                                                       {"*.example.com", open("wildcard")}}}));
  PythonClient client = python_client(*listener);
  PythonClient with_certificate = friendly(*listener);
  for (const char* name : {"", "example.com", "public.example.org", "a.public.example.com"}) {
    expect_refused(*listener, client, name);
    EXPECT_EQ(with_certificate.connect(name), "full default") << name;
  }
}

}  // namespace
}  // namespace livetls
