// A chat room over WebSockets, and its page:
//
//     chat cert.pem key.pem examples/chat/page 8443
//
// Renew the certificate (SIGHUP) while people talk: they go on, and who comes then gets the new
// one.

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <iostream>
#include <map>
#include <mutex>

#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/arguments.hpp"
#include "livetls/web/files.hpp"
#include "livetls/web/middleware/access_log.hpp"
#include "livetls/web/middleware/security_headers.hpp"
#include "livetls/web/server.hpp"
#include "livetls/web/websocket.hpp"

using namespace livetls;
using web::Request, web::WebSocket;
namespace json = boost::json;

namespace {

// In bytes: four for each character that the page takes.
constexpr std::size_t kMaxName = 160;
constexpr std::size_t kMaxMessage = 4000;

/// Who is there. They may be on different threads.
class Room {
 public:
  /// A name that nobody else has.
  std::string join(std::string name, WebSocket::Sender sender) {
    const std::scoped_lock lock(mutex_);
    const std::string wanted = name;
    for (int n = 2; members_.contains(name); ++n) name = wanted + " " + std::to_string(n);
    members_.emplace(name, sender);
    tell_who_is_there();
    return name;
  }

  void leave(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    members_.erase(name);
    tell_who_is_there();
  }

  void say(const std::string& from, std::string_view text) {
    const std::scoped_lock lock(mutex_);
    tell({{"from", from}, {"text", text}});
  }

 private:
  void tell_who_is_there() {
    json::array names;
    for (const auto& [name, sender] : members_) names.emplace_back(name);
    tell({{"people", std::move(names)}});
  }

  /// A client that is slow holds up nobody: what waits for it is limited.
  void tell(const json::object& news) {
    const std::string text = json::serialize(news);
    for (const auto& [name, sender] : members_) sender.send(text);
  }

  std::mutex mutex_;
  std::map<std::string, WebSocket::Sender> members_;
};

/// Is there for as long as it lives.
class Member {
 public:
  Member(Room& room, std::string name, WebSocket::Sender sender)
      : room_(room), name_(room.join(std::move(name), std::move(sender))) {}
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member() { room_.leave(name_); }

  const std::string& name() const { return name_; }
  void say(std::string_view text) { room_.say(name_, text); }

 private:
  Room& room_;
  std::string name_;
};

/// What this connection was served, whatever is current by now.
json::object certificate_of(const Request& request) {
  const auto certificate = request.connection().certificate();
  if (!certificate) return {};
  const CertificateInfo& leaf = certificate->leaf();
  return {{"subject", leaf.subject},
          {"fingerprint", to_hex(leaf.fingerprint)},
          {"expires", leaf.not_after.time_since_epoch().count()}};
}

Task<void> talk(WebSocket& socket, Room& room, std::string name, std::string welcome) {
  co_await socket.send(std::move(welcome));
  Member member(room, std::move(name), socket.sender());
  bool open = true;
  while (open) {
    const auto message = co_await socket.receive();
    open = message.has_value() && message->is_text;
    if (open && !message->data.empty()) member.say(message->data);
  }
  // Told to all as text, other bytes would end everybody's connection. No harm where it has ended.
  socket.close(1003, "send text");
}

web::Response enter(Room& room, Request& request, const std::string& name) {
  if (name.empty() || name.size() > kMaxName) throw web::HttpError(400, "is this a name?");
  const json::object welcome{{"certificate", certificate_of(request)}};
  const auto serve = [&room, name, welcome = json::serialize(welcome)](WebSocket& socket) {
    return talk(socket, room, name, welcome);
  };
  return web::upgrade_to_websocket(request, serve, {.max_message_bytes = kMaxMessage});
}

web::Router routes(Room& room, const char* page) {
  web::Router router;
  router.use(web::access_log()).use(web::security_headers());
  router.get("/chat", [&room](Request& request, web::Query<"name", std::string> name) {
    return enter(room, request, *name);
  });
  router.get("/{path...}", web::serve_files(page));
  return router;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: chat CERT_FILE KEY_FILE PAGE_FOLDER PORT");
  const auto load = [argv] { return Certificate::load(argv[1], argv[2]); };

  Room room;
  Runtime runtime;
  const auto manager = CertManager::create(load().value()).value();
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[4]));
  web::Server server(runtime, manager, routes(room, argv[3]), {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load();
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cerr << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "https://localhost:" << server.port() << "/" << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "chat: " << error.what() << '\n';
  return 1;
}
