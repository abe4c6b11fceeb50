// Path validation against implementations that share no line with it. A chain on which they differ
// is a bug of ours, or has a row in docs/path-validation.md that says why.
//
// LIVETLS_ALL_CHAINS=1 in the environment takes every pair of mutations instead of a sample.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "differential/excuses.hpp"
#include "differential/judges.hpp"
#include "differential/mutations.hpp"

namespace livetls::test {
namespace {

Scenario mutated(Scenario scenario, const std::vector<const Mutation*>& changes) {
  for (const Mutation* change : changes) {
    change->apply(scenario);
    scenario.mutations.push_back(change->name);
  }
  return scenario;
}

bool takes_all() { return std::getenv("LIVETLS_ALL_CHAINS") != nullptr; }

/// Every mutation by itself in every shape, and pairs of them.
std::vector<Scenario> scenarios_to_judge() {
  const bool all = takes_all();
  constexpr std::size_t kPairs = 4'000;
  const std::vector<Scenario> shapes = valid_scenarios();
  const std::vector<Mutation> changes = mutations();
  std::vector<Scenario> list = shapes;
  for (const Scenario& shape : shapes) {
    for (const Mutation& change : changes) list.push_back(mutated(shape, {&change}));
  }
  std::mt19937 random(2026);  // the same chains in every run
  const auto one_of = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  for (std::size_t pair = 0; !all && pair < kPairs; ++pair) {
    const Scenario& shape = shapes[one_of(shapes.size())];
    list.push_back(
        mutated(shape, {&changes[one_of(changes.size())], &changes[one_of(changes.size())]}));
  }
  for (const Mutation& first : changes) {
    for (const Mutation& second : changes) {
      if (!all) break;
      for (const Scenario& shape : shapes) list.push_back(mutated(shape, {&first, &second}));
    }
  }
  return list;
}

class PathValidation : public testing::Test {
 protected:
  struct Judged {
    Scenario scenario;
    MadeScenario made;
    Verdict ours;
  };

  static const std::vector<Judged>& judged() {
    static const std::vector<Judged> list = [] {
      CertificateFactory factory;
      std::vector<Judged> result;
      for (Scenario& scenario : scenarios_to_judge()) {
        MadeScenario made = factory.make(scenario);
        Verdict ours = verdict_of_livetls(made);
        result.push_back({std::move(scenario), std::move(made), std::move(ours)});
      }
      return result;
    }();
    return list;
  }

  /// Every difference that no row excuses; and every row that excuses nothing.
  static void compare(const std::string& judge, const std::vector<Verdict>& verdicts) {
    std::set<std::string> used;
    int unexcused = 0;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      const Judged& one = judged()[i];
      if (one.ours.accepted == verdicts[i].accepted) continue;
      if (const auto excuse = excuse_for(one.scenario, judge, one.ours.accepted)) {
        used.insert(*excuse);
        continue;
      }
      constexpr int kShown = 400;
      if (++unexcused > kShown) continue;
      ADD_FAILURE() << description_of(one.scenario)
                    << "\n  livetls: " << (one.ours.accepted ? "accepted" : one.ours.reason)
                    << "\n  " << judge << ": "
                    << (verdicts[i].accepted ? "accepted" : verdicts[i].reason);
    }
    EXPECT_EQ(unexcused, 0) << "of " << verdicts.size() << " chains";
    for (const std::string& row : excuses_of(judge)) {
      if (!takes_all()) break;  // a sample need not have one of each
      EXPECT_TRUE(used.contains(row))
          << "no chain shows what is excused for " << judge << ": " << row;
    }
  }
};

TEST_F(PathValidation, AcceptsTheChainsThatTheOthersAreMadeOf) {
  CertificateFactory factory;
  for (const Scenario& shape : valid_scenarios()) {
    const Verdict ours = verdict_of_livetls(factory.make(shape));
    EXPECT_TRUE(ours.accepted) << description_of(shape) << ": " << ours.reason;
  }
}

TEST_F(PathValidation, JudgesAsOpensslDoes) {
  std::vector<Verdict> verdicts;
  for (const Judged& one : judged()) verdicts.push_back(verdict_of_openssl(one.made));
  ASSERT_GE(verdicts.size(), 5'000U);
  compare("OpenSSL", verdicts);
}

TEST_F(PathValidation, JudgesAsGoDoes) {
  std::vector<MadeScenario> made;
  for (const Judged& one : judged()) made.push_back(one.made);
  const auto verdicts = verdicts_of_go(made);
  if (!verdicts) GTEST_SKIP() << "Go is not installed";
  compare("Go", *verdicts);
}

TEST(PathValidationDifferences, AreAllExplained) {
  std::ifstream file(LIVETLS_SOURCE_DIR "/docs/path-validation.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const std::string judge : {"OpenSSL", "Go"}) {
    for (const std::string& row : excuses_of(judge)) {
      EXPECT_NE(text.find("\n| " + row + " | "), text.npos) << row;
    }
  }
}

/// So that a judge which says yes to everything is noticed.
TEST_F(PathValidation, IsGivenChainsOfBothKinds) {
  std::size_t accepted = 0;
  for (const Judged& one : judged()) accepted += one.ours.accepted ? 1 : 0;
  EXPECT_GT(accepted, judged().size() / 5);
  EXPECT_LT(accepted, judged().size() * 4 / 5);
}

}  // namespace
}  // namespace livetls::test
