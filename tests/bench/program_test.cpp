// livetls-bench as its users call it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <sstream>

#include "livetls/pki/certificate_authority.hpp"
#include "livetls/web/server.hpp"
#include "support/programs.hpp"
#include "support/running_runtime.hpp"
#include "support/shell.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::bench {
namespace {

using namespace test;
using ::testing::HasSubstr;

const std::string kProgram = built_program("livetls-bench");

boost::json::value read_json(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return boost::json::parse(text.str());
}

TEST(BenchRun, LoadsAnyServerAndRotatesItByACommand) {
  RunningRuntime runtime;
  const auto authority = CertificateAuthority::create().value();
  const auto manager = CertManager::create(authority.issue().value()).value();
  web::Router router;
  router.get("/", [](web::Request&) { return web::Response::text("hello\n"); });
  router.get("/rotate", [&](web::Request&) {
    manager->update(authority.issue().value()).value();
    return web::Response::text("rotated\n");
  });
  const web::Server server(runtime, manager, std::move(router));
  const std::string origin = "localhost:" + std::to_string(server.port());
  const TemporaryDirectory directory;
  const std::string json = directory.path() / "run.json";

  Subprocess program({kProgram, "run", "--target", origin, "--seconds", "3", "--threads", "2",
                      "--connections", "2", "--rate", "50", "--rotate-every", "0.2", "--rotate-cmd",
                      "curl -sfk https://" + origin + "/rotate >/dev/null", "--json", json});
  const auto finished = program.wait();
  EXPECT_EQ(finished.exit_code, 0) << finished.output;
  const boost::json::value result = read_json(json);
  EXPECT_GT(result.at("operations").to_number<int>(), 10);
  EXPECT_EQ(result.at("failed").to_number<int>(), 0);
  EXPECT_GE(result.at("rotations").to_number<int>(), 1);
  EXPECT_EQ(result.at("failed_rotations").to_number<int>(), 0);
  EXPECT_GE(result.at("certificates").to_number<int>(), 2);
  EXPECT_GT(result.at("latency_us").at("p99").to_number<double>(), 0);
}

TEST(BenchRun, AFailedRotationAndAFailedConnectionAreToldAndEndWithOne) {
  Subprocess program({kProgram, "run", "--target", "127.0.0.1:1", "--seconds", "0.3",
                      "--rotate-every", "0.1", "--rotate-cmd", "false"});
  const auto finished = program.wait();
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.output, HasSubstr("x Connection refused"));
  EXPECT_THAT(finished.output, ::testing::ContainsRegex("rotations: 0, failed [1-9]"));
}

TEST(BenchRun, LoadsNoHostThatIsNotSaidToBeOnesOwn) {
  Subprocess program({kProgram, "run", "--target", "192.0.2.1:443", "--seconds", "0.1"});
  const auto finished = program.wait();
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.output, HasSubstr("--yes-i-own-this-host"));
}

TEST(BenchRun, RefusesWhatItDoesNotKnow) {
  for (const auto& [option, value] : std::map<std::string, std::string>{
           {"--mode", "pigeon"}, {"--tls", "1.1"}, {"--group", "p1"}, {"--connections", "0"}}) {
    Subprocess program({kProgram, "run", "--target", "127.0.0.1:1", option, value});
    const auto finished = program.wait();
    EXPECT_EQ(finished.exit_code, 2) << option;
    EXPECT_THAT(finished.output, HasSubstr("livetls-bench: ")) << option;
  }
}

struct Comparison {
  int exit_code;
  boost::json::value report;
  std::string html;
};

Comparison compare(std::vector<std::string> options = {}) {
  const TemporaryDirectory directory;
  const std::string json = directory.path() / "bench.json";
  const std::string html = directory.path() / "bench.html";
  std::vector<std::string> command{kProgram, "--quick", "--rounds", "1",      "--only",
                                   "full",   "--json",  json,       "--html", html};
  command.insert(command.end(), options.begin(), options.end());
  Subprocess run(std::move(command));
  const int exit_code = run.wait().exit_code;
  std::ostringstream page;
  page << std::ifstream(html).rdbuf();
  return {exit_code, read_json(json), page.str()};
}

TEST(BenchCompares, AndFlagsAServerThatHasBecomeSlow) {
#ifdef LIVETLS_SANITIZED
  GTEST_SKIP() << "instrumented, both are slow";
#endif
  const Comparison usual = compare();
  const Comparison slowed = compare({"--slowed"});
  const auto ratio = [](const Comparison& comparison) {
    return comparison.report.at("rows").at(0).at("ratio").to_number<double>();
  };
  EXPECT_EQ(slowed.exit_code, 1);
  EXPECT_FALSE(slowed.report.at("rows").at(0).at("holds").as_bool());
  EXPECT_GT(ratio(slowed), 2 * ratio(usual));

  const auto& row = slowed.report.at("rows").at(0).as_object();
  for (const char* field : {"measure", "ours", "peer", "peer_name", "unit", "ratio", "ratio_low",
                            "ratio_high", "must", "aim", "holds"}) {
    EXPECT_TRUE(row.contains(field)) << field;
  }
  EXPECT_TRUE(slowed.report.at("machine").as_object().contains("processor"));
  EXPECT_GE(slowed.report.at("series").as_array().size(), 2U);
  EXPECT_THAT(slowed.html, HasSubstr("CPU per full handshake + request"));
}

}  // namespace
}  // namespace livetls::bench
