// The examples, as a reader of the README runs them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "livetls/pki/certificate_authority.hpp"
#include "support/programs.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_directory.hpp"

namespace livetls {
namespace {

using test::Subprocess;
using testing::AllOf;
using testing::HasSubstr;

std::string example(const std::string& name) { return test::built_program("livetls_" + name); }

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// The text between two marks; fails the test where they are missing.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t begin = text.find(before);
  const std::size_t end = text.find(after, begin + before.size());
  EXPECT_NE(begin, std::string::npos) << before;
  EXPECT_NE(end, std::string::npos) << after;
  return text.substr(begin + before.size(), end - begin - before.size());
}

/// One that takes a certificate and its key in files.
class Example : public testing::Test {
 protected:
  Example() {
    directory_.write("ca.pem", authority_.root_pem());
    renew("first");
  }

  void renew(std::string organization) {
    install(authority_.issue({.organization = std::move(organization)}).value());
  }

  void install(const Certificate& certificate) {
    certificate_ = certificate;
    directory_.write("cert.pem", certificate.to_pem());
    directory_.write("key.pem", key_pem(certificate));
  }

  static std::string key_pem(const Certificate& certificate) {
    const SecretBytes key = certificate.private_key().to_pem();
    return {key.begin(), key.end()};
  }

  std::string path(const char* name) { return (directory_ / name).string(); }

  test::TemporaryDirectory directory_;
  CertificateAuthority authority_ = CertificateAuthority::create().value();
  std::optional<Certificate> certificate_;
};

class MtlsExample : public Example {
 protected:
  /// With its key, in "NAME.pem".
  void write_client(const std::string& name, const CertificateAuthority& authority) {
    const Certificate certificate = authority.issue({.names = {name + ".example"}}).value();
    directory_.write((name + ".pem").c_str(), certificate.to_pem() + key_pem(certificate));
  }
};

using ChatExample = Example;
using LineChatExample = Example;
using NodesExample = Example;
using SumsExample = Example;
using HelloExample = Example;
using NotesExample = Example;
using FilesExample = Example;

TEST_F(HelloExample, ServesAndReloadsAndKeepsTheOldWhereTheFilesAreBroken) {
  Subprocess hello({example("hello"), path("cert.pem"), path("key.pem"), "0"});
  const std::string url = between(hello.read_until("/hello/world\n"), "", "\n");
  const auto get = [&] { return test::run(test::curl(path("ca.pem"), url, {"--verbose"})).output; };
  EXPECT_THAT(get(), HasSubstr("Hello, world!"));
  EXPECT_THAT(get(), HasSubstr("O=first"));

  renew("second");
  hello.signal(SIGHUP);
  hello.read_until("updated\n");
  EXPECT_THAT(get(), HasSubstr("O=second"));

  directory_.write("cert.pem", "-----BEGIN CERTIFICATE-----\ntorn");
  hello.signal(SIGHUP);
  EXPECT_THAT(hello.read_until("\n"), HasSubstr("kept the old: " + path("cert.pem")));
  EXPECT_THAT(get(), HasSubstr("O=second"));

  hello.signal(SIGTERM);
  EXPECT_EQ(hello.wait().exit_code, 0);
}

TEST_F(HelloExample, SaysWhatIsWrongWithItsFiles) {
  const auto refused = test::run({example("hello"), path("key.pem"), path("cert.pem"), "0"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr(path("key.pem")));
  EXPECT_THAT(refused.output, HasSubstr("swap"));
}

TEST_F(NotesExample, KeepsNotesOverARenewalAndARestart) {
  const auto start = [&] {
    return Subprocess({example("notes"), path("cert.pem"), path("key.pem"), path("db"), "0"});
  };
  std::string url;
  const auto ask = [&](const std::string& target, std::vector<std::string> options = {}) {
    options.insert(options.end(), {"-w", " %{http_code}"});
    return test::run(test::curl(path("ca.pem"), url + target, std::move(options))).output;
  };
  const auto send = [&](const char* method, const std::string& target, const char* json) {
    return ask(target, {"-X", method, "-H", "Content-Type: application/json", "-d", json});
  };
  {
    Subprocess notes = start();
    url = between(notes.read_until("/notes\n"), "", "\n");
    EXPECT_EQ(ask(""), "[] 200");
    EXPECT_EQ(send("POST", "", R"({"title":"a","text":"first"})"),
              R"({"title":"a","text":"first","id":1} 201)");
    renew("second");
    notes.signal(SIGHUP);
    notes.read_until("updated\n");
    EXPECT_EQ(send("POST", "", R"({"title":"b'; DROP TABLE notes","text":""})"),
              R"({"title":"b'; DROP TABLE notes","text":"","id":2} 201)");
    EXPECT_EQ(send("PUT", "/1", R"({"title":"a","text":"changed"})"),
              R"({"title":"a","text":"changed","id":1} 200)");
    EXPECT_THAT(send("POST", "", R"({"title":"","text":""})"), HasSubstr("title: must have"));
    EXPECT_THAT(send("POST", "", R"({"title":7})"), HasSubstr("title: is no string"));
    EXPECT_THAT(ask("/7"), HasSubstr("there is no note 7"));
    EXPECT_EQ(ask("/2", {"-X", "DELETE"}), " 204");
    notes.signal(SIGTERM);
    EXPECT_EQ(notes.wait().exit_code, 0);
  }
  Subprocess again = start();
  url = between(again.read_until("/notes\n"), "", "\n");
  EXPECT_EQ(ask("?limit=5"), R"([{"title":"a","text":"changed","id":1}] 200)");
}

TEST_F(FilesExample, ServesAFolderAndTakesUploads) {
  std::filesystem::create_directory(directory_ / "www");
  const std::string large(3'000'000, 'x');
  directory_.write("large", large);
  Subprocess files({example("files"), path("cert.pem"), path("key.pem"), path("www"), "0"});
  const std::string url = between(files.read_until("/\n"), "", "\n");
  const auto ask = [&](const std::string& target, std::vector<std::string> options = {}) {
    return test::run(test::curl(path("ca.pem"), url + target, std::move(options))).output;
  };
  const std::string names =
      ask("upload", {"-F", "a=@" + path("large"), "-F", "b=@" + path("ca.pem")});
  const std::string first = names.substr(0, names.find('\n'));
  EXPECT_EQ(ask(first), large);
  EXPECT_EQ(ask(first, {"-r", "10-19"}), "xxxxxxxxxx");
  EXPECT_THAT(ask(first, {"--head"}), HasSubstr("Content-Length: 3000000"));
  EXPECT_THAT(ask("../ca.pem", {"--path-as-is", "-w", "%{http_code}"}), HasSubstr("400"));
}

TEST_F(MtlsExample, KnowsItsClientsAndTakesNewAuthorities) {
  const CertificateAuthority other = CertificateAuthority::create().value();
  directory_.write("clients-ca.pem", authority_.root_pem());
  write_client("reader", authority_);
  write_client("admin", authority_);
  write_client("stranger", other);
  Subprocess mtls(
      {example("mtls"), path("cert.pem"), path("key.pem"), path("clients-ca.pem"), "0"});
  const std::string url = between(mtls.read_until("/me\n"), "", "me\n");
  const auto ask = [&](const std::string& client, const std::string& target,
                       std::vector<std::string> options = {}) {
    options.insert(options.end(), {"-w", " %{http_code}"});
    if (!client.empty()) options.insert(options.end(), {"--cert", path((client + ".pem").c_str())});
    return test::run(test::curl(path("ca.pem"), url + target, std::move(options)));
  };
  const std::vector<std::string> put = {
      "-X", "PUT", "-H", "Content-Type: application/json", "-d", R"({"value":7})"};
  EXPECT_THAT(ask("reader", "me").output, HasSubstr(R"("names":["reader.example"])"));
  EXPECT_EQ(ask("reader", "setting").output, R"({"value":0} 200)");
  EXPECT_THAT(ask("reader", "setting", put).output, HasSubstr(" 403"));
  EXPECT_EQ(ask("admin", "setting", put).output, R"({"value":7} 200)");
  EXPECT_NE(ask("stranger", "me").exit_code, 0);
  EXPECT_NE(ask("", "me").exit_code, 0);

  renew("refused");
  directory_.write("clients-ca.pem", "-----BEGIN CERTIFICATE-----\ntorn");
  mtls.signal(SIGHUP);
  mtls.read_until("kept the old: " + path("clients-ca.pem"));
  EXPECT_THAT(ask("reader", "me", {"--verbose"}).output, HasSubstr("O=first"));

  renew("second");
  directory_.write("clients-ca.pem", other.root_pem());
  mtls.signal(SIGHUP);
  mtls.read_until("updated\n");
  EXPECT_THAT(ask("stranger", "me", {"--verbose"}).output, HasSubstr("O=second"));
  EXPECT_NE(ask("reader", "me").exit_code, 0);
}

TEST_F(LineChatExample, TalksOnOverARenewal) {
  Subprocess chat({example("line_chat"), path("cert.pem"), path("key.pem"), "0"});
  const auto port =
      static_cast<std::uint16_t>(std::stoi(between(chat.read_until("\n"), "port ", "\n")));
  Subprocess ada(test::s_client(path("ca.pem"), port));
  EXPECT_THAT(ada.read_until("verify return:1\n"), HasSubstr("depth"));
  ada.write("hello\n");
  EXPECT_THAT(ada.read_until("1: hello\n"), HasSubstr("O = first"));
  renew("second");
  chat.signal(SIGHUP);
  chat.read_until("updated\n");
  Subprocess bob(test::s_client(path("ca.pem"), port));
  bob.write("good morning\n");
  EXPECT_THAT(bob.read_until("2: good morning\n"), HasSubstr("O = second"));
  ada.read_until("2: good morning\n");
  ada.write("still here\n");
  bob.read_until("1: still here\n");
}

TEST_F(SumsExample, AnswersOverARenewalAndRefusesWhomItCannotTrust) {
  Subprocess server({example("sums"), "serve", path("cert.pem"), path("key.pem"), "0"});
  const std::string port = between(server.read_until("\n"), "port ", "\n");
  const auto ask = [&](std::vector<std::string> numbers) {
    std::vector<std::string> command{example("sums"), "ask", path("ca.pem"), port};
    command.insert(command.end(), numbers.begin(), numbers.end());
    return test::run(std::move(command));
  };
  EXPECT_EQ(ask({"1", "2", "39"}).output, "42\n");
  EXPECT_EQ(ask({"one"}).output, "these are no numbers\n");
  renew("second");
  server.signal(SIGHUP);
  server.read_until("updated\n");
  EXPECT_EQ(ask({"-1", "1"}).output, "0\n");
  directory_.write("ca.pem", CertificateAuthority::create().value().root_pem());
  const auto refused = ask({"1"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("localhost:" + port));
}

TEST_F(NodesExample, ThreeTalkWhileTheirCertificatesRotate) {
  const auto start = [&](const std::string& name, std::vector<std::string> others = {}) {
    std::vector<std::string> command{example("nodes"), name + "@localhost", path("cert.pem"),
                                     path("key.pem"),  path("ca.pem"),      "0"};
    command.insert(command.end(), others.begin(), others.end());
    return Subprocess(std::move(command));
  };
  const auto line = [](Subprocess& node) {
    std::string text = node.read_until("\n");
    text.pop_back();
    return text;
  };
  Subprocess a = start("a");
  const std::string to_a = line(a);
  Subprocess b = start("b", {to_a});
  const std::string to_b = line(b);
  renew("second");  // before c starts
  Subprocess c = start("c", {to_a, to_b});
  line(c);
  const auto say = [&](Subprocess& from, const std::string& to, const std::string& text) {
    from.write(to + "@localhost " + text + "\n");
    return line(from);
  };
  EXPECT_EQ(say(b, "a", "hello"), "heard");
  EXPECT_THAT(line(a),
              AllOf(HasSubstr("b@localhost"), HasSubstr("O=first"), HasSubstr("): hello")));
  EXPECT_EQ(say(c, "a", "hello"), "heard");
  EXPECT_THAT(line(a), AllOf(HasSubstr("c@localhost"), HasSubstr("O=second")));
  EXPECT_THAT(say(a, "d", "hello"), HasSubstr("nobody says where"));

  renew("third");
  for (Subprocess* node : {&a, &b, &c}) {
    node->signal(SIGHUP);
    node->read_until("updated\n");
  }
  EXPECT_EQ(say(a, "c", "still here"), "heard") << "a link goes both ways";
  EXPECT_THAT(line(c), AllOf(HasSubstr("O=first"), HasSubstr("still here")));
  EXPECT_EQ(say(c, "b", "new"), "heard");
  EXPECT_THAT(line(b), AllOf(HasSubstr("O=third"), HasSubstr("new"))) << "a link made since";
  for (Subprocess* node : {&a, &b, &c}) EXPECT_EQ(node->wait().exit_code, 0);
}

TEST_F(ChatExample, KeepsPeopleTalkingInBrowsersOverARotation) {
  if (!test::is_installed("chromium")) GTEST_SKIP() << "there is no Chromium here";
  Subprocess chat({example("chat"), path("cert.pem"), path("key.pem"),
                   LIVETLS_SOURCE_DIR "/examples/chat/page", "0"});
  const std::string url = between(chat.read_until("/\n"), "", "\n");
  const auto key_of = [](const Certificate& certificate) {
    return to_hex(certificate.leaf().public_key_fingerprint);
  };
  // On the page's connection as Chromium sees it, and on its socket's as the chat says.
  const auto shows = [](const Certificate& certificate) {
    const std::string fingerprint = to_hex(certificate.leaf().fingerprint);
    return AllOf(HasSubstr("page " + fingerprint), HasSubstr("SHA-256 " + fingerprint));
  };
  const Certificate first = *certificate_;
  const Certificate second = authority_.issue({.organization = "second"}).value();
  Subprocess browser({"python3", LIVETLS_SOURCE_DIR "/tests/integration/chat_browser.py", url,
                      key_of(first), key_of(second)});
  EXPECT_THAT(browser.read_until("\n"), shows(first));
  install(second);
  chat.signal(SIGHUP);
  chat.read_until("updated\n");
  browser.write("\n");
  EXPECT_THAT(browser.read_until("\n"), shows(second)) << "a new connection";
  EXPECT_THAT(browser.read_until("\n"), shows(first)) << "the open one, to the end";
  EXPECT_EQ(browser.wait().exit_code, 0);
}

TEST(ReadmeTest, ShowsTheHelloExampleAsItIs) {
  const std::string readme = read_file(LIVETLS_SOURCE_DIR "/README.md");
  const std::string source = read_file(LIVETLS_SOURCE_DIR "/examples/hello/hello.cpp");
  const std::string shown = between(readme, "```cpp\n", "```");
  EXPECT_EQ(source.substr(source.find("#include")), shown);
}

TEST(EchoExample, EchoesAndRotates) {
  Subprocess echo({example("echo"), "0"});
  const std::string port = between(echo.read_until("\n"), "listening on port ", "\n");
  Subprocess client({"openssl", "s_client", "-quiet", "-connect", "127.0.0.1:" + port});
  client.write("one\n");
  client.read_until("one\n");
  echo.signal(SIGHUP);
  echo.read_until("generation 2\n");
  client.write("two\n");
  client.read_until("two\n");
  echo.signal(SIGTERM);
  EXPECT_EQ(echo.wait().exit_code, 0);
}

TEST(DemoExample, LosesNothingAndSaysSo) {
  const test::TemporaryDirectory directory;
  const std::string file = (directory / "result.json").string();
  const auto demo = test::run({example("demo"), "--seconds", "2", "--rotate-hz", "50",
                               "--connections", "2", "--json", file});
  EXPECT_EQ(demo.exit_code, 0) << demo.output;
  EXPECT_THAT(demo.output, HasSubstr("Nothing was lost."));
  const auto result = boost::json::parse(read_file(file));
  EXPECT_GE(result.at("rotations").to_number<int>(), 50);
  for (const auto* server : {"https", "tcp"}) {
    EXPECT_GT(result.at(server).at("handshakes").to_number<int>(), 0);
    EXPECT_GT(result.at(server).at("generations_seen").to_number<int>(), 1);
    EXPECT_EQ(result.at(server).at("failed").to_number<int>(), 0);
    EXPECT_EQ(result.at(server).at("stale").to_number<int>(), 0);
  }
  EXPECT_EQ(result.at("kept").at("opened").to_number<int>(), 8);
  EXPECT_EQ(result.at("kept").at("broken").to_number<int>(), 0);
  EXPECT_EQ(result.at("kept").at("certificate_changed").to_number<int>(), 0);
}

TEST(DemoExample, ComparesItselfWithNoRotation) {
  const test::TemporaryDirectory directory;
  const std::string file = (directory / "result.json").string();
  const auto demo = test::run({example("demo"), "--seconds", "4", "--rotate-hz", "200",
                               "--connections", "2", "--control", "--json", file});
  EXPECT_EQ(demo.exit_code, 0) << demo.output;
  EXPECT_THAT(demo.output, HasSubstr("rotations/s beside none, median of 3 rounds"));
  EXPECT_THAT(demo.output, HasSubstr("Nothing was lost."));
  const auto result = boost::json::parse(read_file(file));
  const auto& control = result.at("control");
  EXPECT_EQ(control.at("rounds").to_number<int>(), 3);
  const auto rotations = result.at("rotations").to_number<double>();
  const auto in_a_second = control.at("rotations_per_second").to_number<double>();
  EXPECT_GT(in_a_second, 0);
  EXPECT_LT(rotations, 3 * in_a_second) << "it rotated in every slice";
  for (const auto* ratio : {"throughput_ratio", "p99_ratio"}) {
    const auto median = control.at(ratio).at("median").to_number<double>();
    EXPECT_GT(median, 0) << ratio;
    EXPECT_LE(control.at(ratio).at("low").to_number<double>(), median) << ratio;
    EXPECT_GE(control.at(ratio).at("high").to_number<double>(), median) << ratio;
  }
  for (const auto* slices : {"still", "rotating"}) {
    EXPECT_GT(control.at("handshakes_per_second").at(slices).to_number<double>(), 0) << slices;
    EXPECT_GT(control.at("p99_us").at(slices).to_number<double>(), 0) << slices;
  }
  for (const auto* server : {"https", "tcp"}) {
    EXPECT_EQ(result.at(server).at("failed").to_number<int>(), 0);
    EXPECT_EQ(result.at(server).at("stale").to_number<int>(), 0);
  }
}

TEST(DemoExample, ServesUntilItIsToldToStopAndRotatesOnEnterAndSighup) {
  Subprocess demo({example("demo"), "--serve", "--https-port", "0", "--tcp-port", "0"});
  const std::string hint = demo.read_until("-connect localhost:");
  const std::string ca = between(hint, "--cacert ", " ");
  const std::string url = "https://localhost:" + between(hint, "https://localhost:", "\n");
  EXPECT_THAT(test::run(test::curl(ca, url)).output, HasSubstr("\"generation\":1"));
  demo.write("\n");
  demo.read_until("generation 2:");
  EXPECT_THAT(test::run(test::curl(ca, url)).output, HasSubstr("\"generation\":2"));
  demo.signal(SIGHUP);
  demo.read_until("generation 3:");
  EXPECT_THAT(test::run(test::curl(ca, url)).output, HasSubstr("\"generation\":3"));
  demo.signal(SIGINT);
  EXPECT_EQ(demo.wait().exit_code, 0);
}

}  // namespace
}  // namespace livetls
