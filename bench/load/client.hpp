#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "livetls/tls/tls_engine.hpp"
#include "load.hpp"

namespace livetls::bench {

/// One connection of the load generator, as a state machine over a socket that never blocks.
class Client {
 public:
  enum class State {
    idle,     ///< no operation is under way
    waiting,  ///< for its socket
    done,     ///< the operation went well
    failed,   ///< it did not: see failure()
  };

  Client(const LoadOptions& options, int epoll);
  Client(const Client&) = delete;
  ~Client();

  /// The operation under way counts from `intended`.
  State begin(Clock::time_point intended);

  /// The socket is ready.
  State proceed();

  /// After `done`, in mode `handshakes`: says goodbye, and is idle or waiting.
  State close();

  /// Whether an operation is under way, or its end.
  bool is_busy() const { return busy_; }

  Clock::time_point intended() const { return intended_; }
  const std::string& failure() const { return failure_; }
  bool resumed() const { return resumed_; }

  /// Whether the operation made a connection of its own, and what it saw then.
  const std::optional<Sighting>& handshake() const { return sighting_; }

  void drop();

 private:
  enum class Phase { none, connecting, handshaking, sending, receiving, ending };
  enum class Progress { complete, again, wait, failed };

  Progress advance();
  Progress connect();
  Progress connected();
  Progress shake_hands();
  Progress send_message();
  Progress receive_message();
  Progress end();
  void note_handshake();
  void next_message();
  bool is_answered(std::size_t bytes);
  Progress answered();
  const std::string& outgoing() const { return upgraded_ ? message_ : upgrade_; }
  Progress transport(TlsEngine::Step step);
  bool flush();
  bool receive();
  Progress fail(std::string why);
  State state_after(Progress progress);
  void wait_for(unsigned events);

  const LoadOptions& options_;
  int epoll_;
  int socket_ = -1;
  unsigned watched_ = 0;
  Phase phase_ = Phase::none;
  bool busy_ = false;
  bool server_closes_ = false;  // as its last response has said
  std::optional<TlsEngine> engine_;
  std::optional<ClientSession> session_;
  std::vector<std::uint8_t> flight_;
  std::size_t flight_sent_ = 0;
  bool drained_ = false;  // the last read found less than there was room for

  std::string upgrade_;  // to a WebSocket, before the first message
  bool upgraded_ = false;
  std::string message_;
  std::size_t answer_bytes_;  // where it is no response of HTTP
  std::size_t message_sent_ = 0;
  std::vector<char> buffer_;
  std::size_t echoed_ = 0;
  std::string unparsed_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> response_;

  Clock::time_point intended_;
  Clock::time_point hello_sent_;
  std::optional<Sighting> sighting_;
  bool resumed_ = false;
  std::string failure_;
};

}  // namespace livetls::bench
