#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "livetls/async/task.hpp"
#include "livetls/base/result.hpp"
#include "livetls/node/node_name.hpp"
#include "livetls/pki/certificate_info.hpp"

namespace livetls::node {

/// What is sent: bytes, or JSON.
class Payload {
 public:
  Payload() = default;
  Payload(std::string bytes) : bytes_(std::move(bytes)) {}
  Payload(std::string_view bytes) : bytes_(bytes) {}
  Payload(const char* text) : bytes_(text) {}
  Payload(const boost::json::value& json);

  /// Of what came from a peer.
  Payload(std::string bytes, bool is_json) : bytes_(std::move(bytes)), is_json_(is_json) {}

  const std::string& bytes() const& noexcept { return bytes_; }
  std::string bytes() && noexcept { return std::move(bytes_); }
  bool is_json() const noexcept { return is_json_; }

  /// Errors: Boost.JSON's, for what is none, also where bytes were sent.
  Result<boost::json::value> json() const;

 private:
  std::string bytes_;
  bool is_json_ = false;
};

/// Who is at the other end of a link, as it was found at its handshake. A value.
struct Peer {
  NodeName name;

  /// Empty on plain links. To be believed where `is_verified`, which is always but for
  /// insecure_skip_verify.
  std::optional<CertificateInfo> certificate = {};
  bool is_verified = false;

  std::uint64_t generation = 0;      ///< of its certificates, on its side; 0 on plain links
  std::uint64_t our_generation = 0;  ///< of ours
};

struct Message {
  std::shared_ptr<const Peer> from;
  std::string service;
  Payload payload;
};

/// Where a service writes its events.
///
/// Thread safety: none. Lifetime: until its handler returns.
class EventWriter {
 public:
  virtual ~EventWriter() = default;

  /// Waits while the subscriber has not taken what it was sent. Errors: cancelled where nobody
  /// waits for events any more, link_down where the link is ending, message_too_large.
  virtual Task<Result<void>> write(Payload event) = 0;
};

/// What a node does for others, by name. Handlers run on the threads of connections: the same one
/// may run many times at once. What one throws is logged; the peer is told that it failed.
struct Services {
  /// For messages, one after the other in the order in which they were sent.
  using OnMessage = std::function<Task<void>(Message)>;

  /// For requests; the payload is the reply, the error's message is told to who asked. Requests of
  /// one stream are begun in their order, and do not wait for each other.
  using OnRequest = std::function<Task<Result<Payload>>(Message)>;

  /// For subscriptions: the events end when it returns.
  using OnSubscribe = std::function<Task<void>(Message, EventWriter&)>;

  std::map<std::string, OnMessage, std::less<>> messages = {};
  std::map<std::string, OnRequest, std::less<>> requests = {};
  std::map<std::string, OnSubscribe, std::less<>> events = {};
};

}  // namespace livetls::node
