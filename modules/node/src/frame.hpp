#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "livetls/base/result.hpp"
#include "livetls/tcp/framing.hpp"

namespace livetls::node {

/// What nodes say to each other behind their handshake. A frame is
///
///     length 4 | kind 1 | flags 1 | stream 4 | id 8 | service's length 1 | service | payload
///
/// in network byte order; the length counts what follows it.
enum class FrameKind : std::uint8_t {
  message = 1,  ///< service, stream, payload
  request,      ///< id, service, stream, payload
  reply,        ///< id, payload
  failure,      ///< id, payload: why there is no reply
  subscribe,    ///< id, service, stream, payload
  event,        ///< id, payload
  end,          ///< id: no event follows; payload: why, where that is a fault
  unsubscribe,  ///< id, stream
  credit,       ///< id 0: bytes of messages; else events of that subscription. stream: how many
  ping,
  leave,    ///< nothing new is begun on this connection, and the peer should begin nothing either
  settled,  ///< behind the peer's leave: all messages before it were handled, all requests begun
  fin,      ///< nothing follows
};

struct Frame {
  FrameKind kind = FrameKind::ping;
  bool is_json = false;
  bool is_unknown_service = false;  ///< a failure, or an end
  std::uint32_t stream = 0;
  std::uint64_t id = 0;
  std::string service = {};
  std::string payload = {};

  friend bool operator==(const Frame&, const Frame&) = default;
};

constexpr std::size_t kMaxServiceBytes = 255;

/// Events of one subscription that may be on their way, or not taken by who waits for them.
constexpr std::uint32_t kEventWindow = 64;

/// Of a frame around its payload, without the length.
constexpr std::size_t kMaxFrameOverhead = 15 + kMaxServiceBytes;

tcp::LengthField frame_framing(std::size_t max_payload_bytes);

void append(const Frame& frame, std::string& to);

/// A frame without its length. Errors: protocol_violation.
Result<Frame> parse_frame(std::string_view text);

/// What a peer must have room for: its credit is spent by that. The same on both sides.
std::size_t cost(const Frame& frame) noexcept;
std::size_t max_cost(std::size_t max_payload_bytes) noexcept;

/// Whether it costs credit.
bool needs_credit(FrameKind kind) noexcept;

}  // namespace livetls::node
