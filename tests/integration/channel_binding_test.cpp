// TLS's exporter, as openssl's client has it, too (RFC 9266).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "livetls/tcp/server.hpp"
#include "support/running_runtime.hpp"
#include "support/subprocess.hpp"
#include "support/test_ca.hpp"

namespace livetls {
namespace {

using testing::HasSubstr;

std::string in_upper_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

class ChannelBindingTest : public testing::Test {
 protected:
  Task<void> tell(Connection& connection) {
    const auto binding = connection.channel_binding();
    const std::string line =
        "binding " + (binding ? in_upper_case(to_hex(*binding)) : "none") + "\n";
    const auto sent = co_await connection.write(line);
    if (!sent) co_return;
    char byte;
    co_await connection.read_some(boost::asio::buffer(&byte, 1));
  }

  /// What openssl says and what the server says.
  std::string connect(tcp::ServerOptions options, const std::string& version) {
    const tcp::Server server(
        runtime_, manager_, [this](Connection& connection) { return tell(connection); }, options);
    test::Subprocess client({"openssl", "s_client", "-connect",
                             "localhost:" + std::to_string(server.port()), "-CAfile",
                             ca_.root_file(), version, "-keymatexport", "EXPORTER-Channel-Binding",
                             "-keymatexportlen", "32"});
    std::string said = client.read_until("\nbinding ");
    return said + client.read_until("\n");
  }

  const test::TestCa ca_;
  const std::shared_ptr<CertManager> manager_ = CertManager::create(ca_.issue("server")).value();
  test::RunningRuntime runtime_;
};

TEST_F(ChannelBindingTest, IsTheSameAtBothEndsAndOfOneConnection) {
  const auto binding_of = [](const std::string& said) {
    constexpr std::size_t kHexDigits = 64;
    return said.substr(said.size() - kHexDigits - 1, kHexDigits);
  };
  const std::string first = connect({.channel_binding = true}, "-tls1_3");
  const std::string second = connect({.channel_binding = true}, "-tls1_3");
  EXPECT_THAT(first, HasSubstr("Keying material: " + binding_of(first)));
  EXPECT_THAT(second, HasSubstr("Keying material: " + binding_of(second)));
  EXPECT_NE(binding_of(first), binding_of(second));
}

TEST_F(ChannelBindingTest, IsKeptWhereAskedForAndWithTls13Only) {
  EXPECT_THAT(connect({}, "-tls1_3"), testing::EndsWith("binding none\n"));
  EXPECT_THAT(connect({.channel_binding = true}, "-tls1_2"), testing::EndsWith("binding none\n"));
}

}  // namespace
}  // namespace livetls
