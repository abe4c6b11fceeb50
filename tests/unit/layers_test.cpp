// Dependencies point one way: modules → net → rotation → tls → pki → async → base. And wolfSSL
// stays behind framework/src/wolfssl/, so that it can be exchanged there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace livetls {
namespace {

constexpr std::array<std::string_view, 6> kLayers = {"base", "async",    "pki",
                                                     "tls",  "rotation", "net"};
constexpr std::size_t kModules = kLayers.size();

std::optional<std::size_t> layer_named(std::string_view folder) {
  if (folder == "wolfssl") return layer_named("tls");
  const auto* found = std::ranges::find(kLayers, folder);
  if (found == kLayers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kLayers.begin());
}

/// The first folder of a path below `prefix`; empty where the path is elsewhere.
std::string_view folder_below(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  const std::size_t end = path.find('/');
  return end == path.npos ? std::string_view() : path.substr(0, end);
}

struct Place {
  std::size_t layer;
  bool is_wolfssl = false;
};

/// Where a file of the framework or a module belongs; `path` is relative to the checkout.
std::optional<Place> place_of(std::string_view path) {
  if (path.starts_with("modules/")) return Place{kModules};
  for (const std::string_view prefix : {"framework/include/livetls/", "framework/src/"}) {
    const std::string_view folder = folder_below(prefix, path);
    if (const auto layer = layer_named(folder)) {
      return Place{*layer, prefix == "framework/src/" && folder == "wolfssl"};
    }
  }
  return std::nullopt;
}

/// What one include line breaks; empty where it is fine.
std::string violation(const Place& from, std::string_view path, std::string_view header) {
  const std::string where = std::string(path) + " includes " + std::string(header) + ": ";
  if (header.starts_with("<wolfssl/") || header.starts_with("<cyassl/")) {
    return from.is_wolfssl ? "" : where + "wolfSSL's headers belong to framework/src/wolfssl/ only";
  }
  if (!header.starts_with('"')) return {};
  header = header.substr(1, header.size() - 2);
  if (header.starts_with("wolfssl/")) {
    return from.is_wolfssl ? "" : where + "what it offers is declared in pki and tls";
  }
  const std::string_view below_livetls = folder_below("livetls/", header);
  const std::string_view folder = below_livetls.empty() ? folder_below("", header) : below_livetls;
  if (folder.empty()) return {};  // beside the file itself
  const std::optional<std::size_t> to = layer_named(folder);
  if (!to) {  // a module's
    return from.layer == kModules ? "" : where + "the framework knows no modules";
  }
  if (from.layer == kModules && below_livetls.empty()) {
    return where + "a module uses public headers only";
  }
  return *to <= from.layer ? "" : where + "that is a layer above";
}

std::vector<std::string> violations(std::string_view path, std::string_view text) {
  const std::optional<Place> from = place_of(path);
  if (!from) return {std::string(path) + " is in no known folder"};
  std::vector<std::string> found;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t hash = line.find_first_not_of(" \t");
    if (hash == line.npos || line[hash] != '#') continue;
    const std::size_t word = line.find("include", hash);
    const std::size_t begin = line.find_first_of("\"<", hash);
    if (word == line.npos || begin == line.npos || begin < word) continue;
    const std::size_t end = line.find_first_of("\">", begin + 1);
    if (end == line.npos) continue;
    const std::string header = line.substr(begin, end + 1 - begin);
    if (std::string broken = violation(*from, path, header); !broken.empty()) {
      found.push_back(std::move(broken));
    }
  }
  return found;
}

TEST(LayersTest, AnIncludeAgainstTheOrderIsFound) {
  using ::testing::IsEmpty;
  using ::testing::SizeIs;
  EXPECT_THAT(violations("framework/include/livetls/pki/certificate.hpp",
                         "#pragma once\n#include \"livetls/base/result.hpp\"\n#include <string>\n"),
              IsEmpty());
  EXPECT_THAT(violations("framework/include/livetls/base/result.hpp",
                         "#include \"livetls/pki/certificate.hpp\"\n"),
              SizeIs(1));
  EXPECT_THAT(violations("framework/src/tls/client_hello.cpp",
                         "  #  include \"livetls/rotation/snapshot.hpp\"\n"),
              SizeIs(1));
  EXPECT_THAT(violations("framework/src/base/log.cpp", "#include \"pki/der.hpp\"\n"), SizeIs(1));
  EXPECT_THAT(violations("framework/src/net/listener.cpp", "#include \"livetls/web/server.hpp\"\n"),
              SizeIs(1));
  EXPECT_THAT(violations("framework/src/wolfssl/engine.cpp",
                         "#include \"livetls/rotation/cert_manager.hpp\"\n"),
              SizeIs(1));
  EXPECT_THAT(violations("modules/web/src/server.cpp",
                         "#include \"livetls/net/listener.hpp\"\n#include \"session.hpp\"\n"
                         "#include \"livetls/web/router.hpp\"\n"),
              IsEmpty());
  EXPECT_THAT(violations("modules/web/src/server.cpp", "#include \"tls/input_buffer.hpp\"\n"),
              SizeIs(1));
  EXPECT_THAT(violations("framework/src/odds_and_ends/x.cpp", ""), SizeIs(1));
}

TEST(LayersTest, WolfsslOutsideItsFolderIsFound) {
  using ::testing::IsEmpty;
  using ::testing::SizeIs;
  constexpr std::string_view kLibrary = "#include <wolfssl/ssl.h>\n";
  constexpr std::string_view kOurs = "#include \"wolfssl/wolfssl.hpp\"\n";
  EXPECT_THAT(violations("framework/src/wolfssl/engine.cpp", kLibrary), IsEmpty());
  EXPECT_THAT(violations("framework/src/tls/tls_policy.cpp", kLibrary), SizeIs(1));
  EXPECT_THAT(violations("framework/include/livetls/tls/tls_stream.hpp", kLibrary), SizeIs(1));
  EXPECT_THAT(violations("modules/tcp/src/server.cpp", kLibrary), SizeIs(1));
  EXPECT_THAT(violations("framework/src/wolfssl/engine.cpp", kOurs), IsEmpty());
  EXPECT_THAT(violations("framework/src/pki/private_key.cpp", kOurs), SizeIs(1));
}

TEST(LayersTest, TheSourcesKeepToTheOrder) {
  const std::filesystem::path root = LIVETLS_SOURCE_DIR;
  std::size_t files = 0;
  for (const char* folder : {"framework/include", "framework/src", "modules"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".hpp" && extension != ".cpp") continue;
      std::ifstream file(entry.path());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      const auto path = std::filesystem::relative(entry.path(), root).generic_string();
      for (const std::string& broken : violations(path, text)) ADD_FAILURE() << broken;
      ++files;
    }
  }
  EXPECT_GT(files, 50U) << "looked in the wrong place: " << root;
}

}  // namespace
}  // namespace livetls
