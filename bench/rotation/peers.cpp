#include "peers.hpp"

#include <signal.h>
#include <unistd.h>

#include <boost/algorithm/string/replace.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace livetls::bench {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Replacements = std::vector<std::pair<std::string, std::string>>;

constexpr auto kRotationTimeout = std::chrono::seconds(10);

std::uint16_t free_port() {
  asio::io_context io;
  return tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

std::string read_file(const fs::path& path, std::uintmax_t offset = 0) {
  std::ifstream file(path);
  file.seekg(static_cast<std::streamoff>(offset));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string key_pem(const Certificate& certificate) {
  const SecretBytes key = certificate.private_key().to_pem();
  return {key.begin(), key.end()};
}

/// Who reads the file finds all of the old or all of the new text.
void replace_file(const fs::path& path, const std::string& text) {
  fs::path incomplete = path;
  incomplete += ".new";
  std::ofstream(incomplete) << text;
  // hitch ignores a file that is not newer, and the kernel's time of writing is coarse.
  fs::last_write_time(incomplete, fs::file_time_type::clock::now());
  fs::rename(incomplete, path);
}

void write_certificate(const fs::path& directory, const Certificate& certificate) {
  const std::string chain = certificate.to_pem();
  const std::string key = key_pem(certificate);
  replace_file(directory / "cert.pem", chain);
  replace_file(directory / "key.pem", key);
  replace_file(directory / "both.pem", chain + key);
}

std::string filled_in(std::string text, const Replacements& replacements) {
  for (const auto& [placeholder, value] : replacements) {
    boost::replace_all(text, placeholder, value);
  }
  return text;
}

/// The answer of HAProxy to one command.
std::string ask(const fs::path& socket_file, const std::string& command) {
  asio::io_context io;
  asio::local::stream_protocol::socket socket(io);
  socket.connect({socket_file.string()});
  asio::write(socket, asio::buffer(command));
  std::string answer;
  boost::system::error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  return answer;
}

void expect_answer(const std::string& answer, const std::string& expected) {
  if (answer.find(expected) == std::string::npos) {
    throw std::runtime_error("haproxy did not take the certificate: " + answer);
  }
}

}  // namespace

std::string to_string(Service service) {
  switch (service) {
    case Service::https: return "https";
    case Service::echo: return "echo";
    case Service::json: return "json";
    case Service::websocket: return "websocket";
  }
  return {};
}

struct Peer::Kind {
  std::string name;
  std::string configuration;         // a template in bench/peers
  std::vector<std::string> command;  // with placeholders; empty arguments fall away
  std::string version_option;
  std::vector<std::string> says_when_rotated;
};

// That its worker no longer accepts; the new one runs by then.
const Peer::Kind Peer::kNginx{"nginx",
                              "nginx.conf",
                              {"nginx", "-e", "stderr", "-p", "@dir@", "-c", "@dir@/nginx.conf"},
                              "-v",
                              {"gracefully shutting down"}};

const Peer::Kind Peer::kHaproxy{
    "haproxy", "haproxy.cfg", {"haproxy", "-db", "-f", "@dir@/haproxy.cfg"}, "-v", {}};

// The new worker, and the old one.
const Peer::Kind Peer::kHitch{"hitch",
                              "hitch.conf",
                              {"hitch", "--config=@dir@/hitch.conf"},
                              "-V",
                              {"Process 0 online", "EXITING"}};

const Peer::Kind Peer::kAsioSsl{
    "asio_ssl",
    "",
    {LIVETLS_BENCH_ASIO_SSL, "--mode", "@service@", "--port", "@port@", "--certificate",
     "@dir@/cert.pem", "--key", "@dir@/key.pem", "@tickets_option@"},
    "--version",
    {"serving the new certificate"}};

Peer Peer::start(const Kind& kind, const PeerOptions& options, const Certificate& certificate) {
  const std::string port = std::to_string(free_port());
  const fs::path directory = options.directory / (kind.name + "-" + port);
  fs::create_directories(directory);
  write_certificate(directory, certificate);
  const Replacements replacements = {
      {"@dir@", directory.string()},
      {"@port@", port},
      {"@service@", to_string(options.service)},
      {"@files@", (options.directory / "files").string()},
      {"@backend_port@", std::to_string(options.echo_backend_port)},
      {"@tickets@", options.tickets ? "on" : "off"},
      {"@tickets_option@", options.tickets ? "--tickets" : ""},
      // Whose files are the benchmark's own.
      {"@nginx_user@", geteuid() == 0 ? "user root;" : ""},
      // hitch insists on being told when it shall stay root.
      {"@user@", geteuid() == 0 ? "user = \"root\"\ngroup = \"root\"" : ""},
  };
  const fs::path peers = LIVETLS_BENCH_PEERS;
  if (!kind.configuration.empty()) {
    std::ofstream(directory / kind.configuration)
        << filled_in(read_file(peers / kind.configuration), replacements);
  }
  ServerProcess::Command command{.arguments = kind.command, .output = directory / "output"};
  for (auto& argument : command.arguments) argument = filled_in(argument, replacements);
  std::erase(command.arguments, "");
  if (!options.tickets) {
    command.environment = {"OPENSSL_CONF=" + (peers / "no_tickets.cnf").string()};
  }
  return {
      kind, directory,
      ServerProcess::run(options.processor, static_cast<std::uint16_t>(std::stoi(port)), command)};
}

Peer Peer::nginx(const PeerOptions& options, const Certificate& certificate) {
  if (options.service != Service::https) throw std::invalid_argument("nginx does not echo");
  return start(kNginx, options, certificate);
}

Peer Peer::haproxy(const PeerOptions& options, const Certificate& certificate) {
  if (options.service == Service::echo && options.echo_backend_port == 0) {
    throw std::invalid_argument("haproxy echoes by a backend only");
  }
  return start(kHaproxy, options, certificate);
}

Peer Peer::hitch(const PeerOptions& options, const Certificate& certificate) {
  if (options.service != Service::echo || options.echo_backend_port == 0) {
    throw std::invalid_argument("hitch only passes bytes on to an echoing backend");
  }
  if (options.processor != 0) throw std::invalid_argument("hitch binds itself to processor 0");
  return start(kHitch, options, certificate);
}

Peer Peer::asio_ssl(const PeerOptions& options, const Certificate& certificate) {
  return start(kAsioSsl, options, certificate);
}

const Peer::Kind* Peer::find(std::string_view name) {
  for (const Kind* kind : {&kNginx, &kHaproxy, &kHitch, &kAsioSsl}) {
    if (kind->name == name) return kind;
  }
  return nullptr;
}

bool Peer::available(std::string_view name) {
  const Kind* kind = find(name);
  return kind != nullptr && !find_program(kind->command.front()).empty();
}

std::string Peer::version(std::string_view name) {
  if (!available(name)) return {};
  const Kind& kind = *find(name);
  const std::string command =
      find_program(kind.command.front()).string() + ' ' + kind.version_option + " 2>&1";
  std::string said(200, '\0');
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error(command);
  said.resize(std::fread(said.data(), 1, said.size(), pipe));
  pclose(pipe);
  std::smatch found;
  std::regex_search(said, found, std::regex(R"([0-9]+([._][0-9]+)+)"));
  return boost::replace_all_copy(found.str(), "_", ".");
}

void Peer::rotate(const Certificate& certificate) {
  if (kind_ == &kHaproxy) return rotate_by_runtime_socket(certificate);
  rotate_by_hangup(certificate);
}

void Peer::rotate_by_hangup(const Certificate& certificate) {
  const fs::path output = directory_ / "output";
  const auto said_before = fs::file_size(output);
  write_certificate(directory_, certificate);
  process_.signal(SIGHUP);
  const auto give_up = Clock::now() + kRotationTimeout;
  for (const auto& words : kind_->says_when_rotated) {
    while (read_file(output, said_before).find(words) == std::string::npos) {
      if (Clock::now() > give_up) {
        throw std::runtime_error(
            kind_->name + " did not take the certificate: " + read_file(output, said_before));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

void Peer::rotate_by_runtime_socket(const Certificate& certificate) {
  const fs::path socket_file = directory_ / "haproxy.sock";
  const std::string file = (directory_ / "both.pem").string();
  const std::string pem = certificate.to_pem() + key_pem(certificate);
  expect_answer(ask(socket_file, "set ssl cert " + file + " <<\n" + pem + "\n"), "Transaction");
  expect_answer(ask(socket_file, "commit ssl cert " + file + "\n"), "Success!");
}

}  // namespace livetls::bench
