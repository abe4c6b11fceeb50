// A chat over TLS whose lines everybody gets. Try it with several of
//
//     openssl s_client -quiet -connect localhost:PORT
//
// At SIGHUP the certificate is read again: who is there stays, who comes gets the new one.

#include <csignal>
#include <iostream>
#include <map>
#include <mutex>

#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/tcp/message_stream.hpp"
#include "livetls/tcp/server.hpp"

using namespace livetls;

namespace {

/// Who is there. They may be on different threads.
class Room {
 public:
  int enter(tcp::Sender sender) {
    const std::scoped_lock lock(mutex_);
    people_.emplace(++last_, std::move(sender));
    return last_;
  }

  void leave(int number) {
    const std::scoped_lock lock(mutex_);
    people_.erase(number);
  }

  /// Who does not read misses lines, and holds nobody up.
  void tell(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [number, sender] : people_) {
      const auto sent = sender.send(line);
      if (!sent) std::cerr << number << ": " << sent.error().message() << std::endl;
    }
  }

 private:
  std::mutex mutex_;
  std::map<int, tcp::Sender> people_;
  int last_ = 0;
};

Task<void> talk(Room& room, tcp::MessageStream& messages, tcp::Sender sender) {
  const int number = room.enter(std::move(sender));
  bool open = true;
  while (open) {
    const auto line = co_await messages.read();
    open = line && *line;
    if (open) room.tell(std::to_string(number) + ": " + std::string((*line)->payload));
  }
  room.leave(number);
}

Task<void> serve(Room& room, tcp::Connection& connection) {
  tcp::MessageStream messages(connection, tcp::Delimiter{.max_bytes = 1000});
  const auto in_room = [&](tcp::Sender sender) { return talk(room, messages, std::move(sender)); };
  co_await messages.run(in_room);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::invalid_argument("usage: line_chat CERT_FILE KEY_FILE PORT");
  const auto load = [argv] { return Certificate::load(argv[1], argv[2]); };
  Runtime runtime;
  const auto manager = CertManager::create(load().value()).value();
  Room room;
  const auto handler = [&room](tcp::Connection& connection) { return serve(room, connection); };
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[3]));
  tcp::Server server(runtime, manager, handler, {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load();
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cout << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "listening on port " << server.port() << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "line_chat: " << error.what() << '\n';
  return 1;
}
