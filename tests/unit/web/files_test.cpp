#include "livetls/web/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "livetls/web/testing.hpp"
#include "support/temporary_directory.hpp"

namespace livetls::web {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    fs::create_directories(root_ / "www/sub");
    fs::create_directories(root_ / "www/.git");
    fs::create_directories(root_ / "www/.well-known");
    root_.write("secret.txt", "secret");
    root_.write("www/a.txt", "0123456789");
    root_.write("www/index.html", "<p>");
    root_.write("www/sub/page.HTML", "<p>sub");
    root_.write("www/.git/config", "hidden");
    root_.write("www/.well-known/x", "known");
    root_.write("www/big.bin", std::string(200'000, 'b') + "end");
    fs::create_symlink("a.txt", root_ / "www/inside");
    fs::create_symlink("../secret.txt", root_ / "www/outside");
    fs::create_symlink("/etc", root_ / "www/etc");
    fs::create_symlink("..", root_ / "www/up");
    ::mkfifo((root_ / "www/pipe").c_str(), 0600);
  }

  Router router(FileOptions options = {}) {
    Router router;
    router.get("/{path...}", serve_files(root_ / "www", std::move(options)));
    return router;
  }

  Response get(std::string_view path, std::string_view field = {}, std::string_view value = {}) {
    const Router router = this->router();
    TestClient client(router);
    if (!field.empty()) client.headers.set(field, value);
    return client.get(path);
  }

  test::TemporaryDirectory root_;
};

TEST_F(FilesTest, AreServedWithTheirType) {
  const Response text = get("/a.txt");
  EXPECT_EQ(text.status_code, 200);
  EXPECT_EQ(text.body, "0123456789");
  EXPECT_EQ(text.headers["Content-Type"], "text/plain; charset=utf-8");
  EXPECT_EQ(text.headers["Accept-Ranges"], "bytes");
  EXPECT_EQ(get("/sub/page.HTML").headers["Content-Type"], "text/html; charset=utf-8");
  const Response big = get("/big.bin");
  EXPECT_EQ(big.headers["Content-Type"], "application/octet-stream");
  EXPECT_EQ(big.body, std::string(200'000, 'b') + "end");
  EXPECT_EQ(get("/inside").body, "0123456789");
  EXPECT_EQ(get("/%61.txt").body, "0123456789");
}

TEST_F(FilesTest, OfAFolderIsItsIndex) {
  EXPECT_EQ(get("/").body, "<p>");
  EXPECT_EQ(get("/sub/").status_code, 404);
  const Response redirected = get("/sub");
  EXPECT_EQ(redirected.status_code, 308);
  EXPECT_EQ(redirected.headers["Location"], "/sub/");
  const Router bare = router({.index = ""});
  EXPECT_EQ(TestClient(bare).get("/").status_code, 404);
}

TEST_F(FilesTest, ThereIsNoWayOutOfTheFolder) {
  for (const char* path :
       {"/../secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt",
        "/outside", "/etc/passwd", "/etc", "/up/secret.txt", "/up/www/a.txt", "/sub%2Fpage.HTML",
        "//etc/passwd", "/%2fetc/passwd", "/a.txt%00", "/a.txt/", "/a.txt/b", "/none", "/pipe",
        "/..%5csecret.txt", "/proc/self/root"}) {
    const Response response = get(path);
    EXPECT_EQ(response.status_code, 404) << path << ' ' << response.body;
  }
}

TEST_F(FilesTest, ThatAreHiddenStaySo) {
  EXPECT_EQ(get("/.git/config").status_code, 404);
  EXPECT_EQ(get("/.git").status_code, 404);
  EXPECT_EQ(get("/.well-known/x").body, "known");
  const Router shown = router({.hidden = true});
  EXPECT_EQ(TestClient(shown).get("/.git/config").body, "hidden");
}

TEST_F(FilesTest, AnswerConditions) {
  const Response whole = get("/a.txt");
  const std::string etag(whole.headers["ETag"]), time(whole.headers["Last-Modified"]);
  EXPECT_EQ(get("/a.txt", "If-None-Match", etag).status_code, 304);
  EXPECT_EQ(get("/a.txt", "If-None-Match", etag).headers["ETag"], etag);
  EXPECT_EQ(get("/a.txt", "If-None-Match", "\"x\", W/" + etag).status_code, 304);
  EXPECT_EQ(get("/a.txt", "If-None-Match", "*").status_code, 304);
  EXPECT_EQ(get("/a.txt", "If-None-Match", "\"x\"").status_code, 200);
  EXPECT_EQ(get("/a.txt", "If-Modified-Since", time).status_code, 304);
  EXPECT_EQ(get("/a.txt", "If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT").status_code, 200);
  EXPECT_EQ(get("/a.txt", "If-Modified-Since", "nonsense").status_code, 200);
  EXPECT_EQ(get("/a.txt", "If-Match", etag).status_code, 200);
  EXPECT_EQ(get("/a.txt", "If-Match", "\"x\"").status_code, 412);
  EXPECT_EQ(get("/a.txt", "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT").status_code, 412);
  root_.write("www/a.txt", "changed");
  EXPECT_EQ(get("/a.txt", "If-None-Match", etag).body, "changed");
}

TEST_F(FilesTest, AnswerRanges) {
  const auto part = [&](const char* range) {
    const Response response = get("/a.txt", "Range", range);
    return std::to_string(response.status_code) + " " + response.body + " " +
           std::string(response.headers["Content-Range"]);
  };
  EXPECT_EQ(part("bytes=0-0"), "206 0 bytes 0-0/10");
  EXPECT_EQ(part("bytes=2-5"), "206 2345 bytes 2-5/10");
  EXPECT_EQ(part("bytes=7-"), "206 789 bytes 7-9/10");
  EXPECT_EQ(part("bytes=7-99999999999999999999"), "206 789 bytes 7-9/10");
  EXPECT_EQ(part("bytes=-3"), "206 789 bytes 7-9/10");
  EXPECT_EQ(part("bytes=-99"), "206 0123456789 bytes 0-9/10");
  EXPECT_EQ(part("bytes=10-"), "416  bytes */10");
  EXPECT_EQ(part("bytes=-0"), "416  bytes */10");
  for (const char* whole : {"bytes=5-2", "bytes=a-b", "bytes=-", "bytes=1", "lines=0-1",
                            "bytes=0-1,3-4", "bytes= 0 - 1", "bytes=--1"}) {
    EXPECT_EQ(part(whole), "200 0123456789 ") << whole;
  }
  const Response big = get("/big.bin", "Range", "bytes=100000-");
  EXPECT_EQ(big.status_code, 206);
  EXPECT_EQ(big.body.size(), 100'003U);
}

TEST_F(FilesTest, ARangeIsOfTheStateThatIsMeant) {
  const std::string etag(get("/a.txt").headers["ETag"]);
  const Router router = this->router();
  TestClient client(router);
  client.headers.set("Range", "bytes=0-1");
  client.headers.set("If-Range", etag);
  EXPECT_EQ(client.get("/a.txt").status_code, 206);
  client.headers.set("If-Range", "\"another\"");
  EXPECT_EQ(client.get("/a.txt").status_code, 200);
  client.headers.set("If-Range", get("/a.txt").headers["Last-Modified"]);
  EXPECT_EQ(client.get("/a.txt").status_code, 206);
}

TEST_F(FilesTest, NeedAFolder) {
  EXPECT_THROW(serve_files(root_ / "none"), std::system_error);
  EXPECT_THROW(serve_files(root_ / "secret.txt"), std::system_error);
}

}  // namespace
}  // namespace livetls::web
