// What the README says of speed is what the benchmark's table says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace livetls {
namespace {

std::string read(const std::string& file) {
  std::ifstream in(std::string(LIVETLS_SOURCE_DIR) + "/" + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A cell of the row that begins so, without its emphasis and spread.
std::string cell(const std::string& table, const std::string& row, int column) {
  std::size_t at = table.find("\n| " + row + " |");
  if (at == std::string::npos) return "no row '" + row + "'";
  for (int i = 0; i < column; ++i) at = table.find('|', at + 1);
  std::string text = table.substr(at + 1, table.find('|', at + 1) - at - 1);
  std::erase(text, '*');
  text = text.substr(text.find_first_not_of(' '));
  return text.substr(0, text.find(" ("));
}

TEST(Readme, SaysOfSpeedWhatTheBenchmarkSays) {
  const std::string table = read("bench/README.md");
  const std::string readme = read("README.md");
  const std::string costs = readme.substr(readme.find("## What it costs"));
  const auto expect_said = [&](const std::string& figure) {
    EXPECT_THAT(costs.substr(0, costs.find("\n## ")), testing::HasSubstr(figure));
  };
  expect_said(cell(table, "CPU per full handshake + request", 4) + " of nginx's processor time");
  expect_said("a resumed one " + cell(table, "CPU per resumed handshake + request", 4) + ".");
  const std::string update = cell(table, "duration of an update under load, p99", 2);
  expect_said("An update takes " + update.substr(0, update.find_last_not_of(' ') + 1) + " under");
  expect_said("leave " + cell(table, "throughput at 100 rotations/s", 4) + " of the throughput");
  expect_said("make p99 " + cell(table, "p99 at 100 rotations/s", 4) + " times as long");
}

}  // namespace
}  // namespace livetls
