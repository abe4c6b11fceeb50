#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "livetls/tls/tls_engine.hpp"

namespace livetls::test {

/// Two engines joined by memory. Bytes cross in chunks of a given size, so that every message can
/// be cut anywhere.
class EnginePair {
 public:
  EnginePair(TlsEngine client_engine, TlsEngine server_engine, std::size_t chunk_bytes)
      : client(std::move(client_engine)), server(std::move(server_engine)), chunk_(chunk_bytes) {}

  TlsEngine client;
  TlsEngine server;

  /// Steps both until both are done, or neither can go on. Answers how each ended.
  struct Outcome {
    TlsEngine::Step client;
    TlsEngine::Step server;
    bool done() const {
      return client.next == TlsEngine::Step::Next::done &&
             server.next == TlsEngine::Step::Next::done;
    }
  };

  Outcome handshake() {
    return run([](TlsEngine& engine) { return engine.handshake(); },
               [](TlsEngine& engine) { return engine.handshake(); });
  }

  Outcome shutdown() {
    return run([](TlsEngine& engine) { return engine.shutdown(); },
               [](TlsEngine& engine) { return engine.shutdown(); });
  }

  /// Writes `text` at one end and reads it at the other; what arrived, or the error.
  static Result<std::string> send(EnginePair& pair, TlsEngine& from, TlsEngine& to,
                                  std::string_view text) {
    std::string arrived;
    std::size_t written = 0;
    char buffer[4096];
    while (arrived.size() < text.size()) {
      if (written < text.size()) {
        const auto step = from.write(boost::asio::buffer(text.substr(written)));
        if (step.next == TlsEngine::Step::Next::failed) return Error(step.error);
        written += step.bytes;
      }
      const auto step = to.read(boost::asio::buffer(buffer));
      if (step.next == TlsEngine::Step::Next::failed) return Error(step.error);
      arrived.append(buffer, step.bytes);
      if (step.next == TlsEngine::Step::Next::need_input && !pair.move_bytes()) break;
    }
    return arrived;
  }

  /// Moves one chunk each way; whether anything moved.
  bool move_bytes() {
    const bool up = move(client, to_server_, server);
    const bool down = move(server, to_client_, client);
    return up || down;
  }

  std::size_t moved_bytes() const { return moved_; }

  /// After so many bytes have crossed, nothing more does, and both ends see the end of the stream.
  void cut_after(std::size_t bytes) { cut_after_ = bytes; }

 private:
  template <class ClientStep, class ServerStep>
  Outcome run(ClientStep client_step, ServerStep server_step) {
    using Next = TlsEngine::Step::Next;
    Outcome outcome{{Next::need_input}, {Next::need_input}};
    for (;;) {
      if (outcome.client.next == Next::need_input) outcome.client = client_step(client);
      if (outcome.server.next == Next::need_input) outcome.server = server_step(server);
      if (move_bytes()) continue;
      const bool waiting =
          outcome.client.next == Next::need_input || outcome.server.next == Next::need_input;
      if (!waiting || !end_input()) return outcome;
    }
  }

  bool move(TlsEngine& from, std::vector<std::uint8_t>& pending, TlsEngine& to) {
    if (from.output_size() > 0) {
      std::vector<std::uint8_t> output;
      from.take_output(output);
      pending.insert(pending.end(), output.begin(), output.end());
    }
    std::size_t count = std::min({chunk_, pending.size(), cut_after_ - moved_});
    if (count == 0) return false;
    const boost::asio::mutable_buffer space = to.input_space();
    count = std::min(count, space.size());
    std::memcpy(space.data(), pending.data(), count);
    to.input_arrived(count);
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(count));
    moved_ += count;
    return true;
  }

  bool end_input() {
    if (moved_ < cut_after_ || ended_) return false;
    ended_ = true;
    client.input_ended();
    server.input_ended();
    return true;
  }

  std::size_t chunk_;
  std::size_t moved_ = 0;
  std::size_t cut_after_ = static_cast<std::size_t>(-1);
  bool ended_ = false;
  std::vector<std::uint8_t> to_server_;
  std::vector<std::uint8_t> to_client_;
};

}  // namespace livetls::test
