#include "frame.hpp"

#include <boost/endian/conversion.hpp>

#include "livetls/node/error.hpp"

namespace livetls::node {
namespace {

namespace endian = boost::endian;

constexpr std::size_t kFixedBytes = 15;

constexpr std::size_t kCostPerFrame = 256;  // what a handler takes at least

enum Flag : std::uint8_t { kJson = 1, kUnknownService = 2 };
constexpr std::uint8_t kFlags = kJson | kUnknownService;

template <class T>
void append_number(T number, std::string& to) {
  endian::native_to_big_inplace(number);
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

const unsigned char* bytes_at(std::string_view text, std::size_t position) {
  return reinterpret_cast<const unsigned char*>(text.data()) + position;
}

bool is_kind(std::uint8_t number) {
  return number >= static_cast<std::uint8_t>(FrameKind::message) &&
         number <= static_cast<std::uint8_t>(FrameKind::fin);
}

}  // namespace

tcp::LengthField frame_framing(std::size_t max_payload_bytes) {
  return {.bytes = 4, .max_bytes = max_payload_bytes + kMaxFrameOverhead};
}

void append(const Frame& frame, std::string& to) {
  const std::size_t size = kFixedBytes + frame.service.size() + frame.payload.size();
  to.reserve(to.size() + 4 + size);
  append_number(static_cast<std::uint32_t>(size), to);
  to += static_cast<char>(frame.kind);
  to += static_cast<char>((frame.is_json ? kJson : 0) |
                          (frame.is_unknown_service ? kUnknownService : 0));
  append_number(frame.stream, to);
  append_number(frame.id, to);
  to += static_cast<char>(frame.service.size());
  to += frame.service;
  to += frame.payload;
}

Result<Frame> parse_frame(std::string_view text) {
  if (text.size() < kFixedBytes) return Error(NodeErrc::protocol_violation, "a frame is too short");
  const std::uint8_t kind = *bytes_at(text, 0);
  const std::uint8_t flags = *bytes_at(text, 1);
  const std::size_t service_bytes = *bytes_at(text, 14);
  if (!is_kind(kind) || (flags & ~kFlags) != 0 || text.size() < kFixedBytes + service_bytes) {
    return Error(NodeErrc::protocol_violation, "a frame is malformed");
  }
  return Frame{.kind = static_cast<FrameKind>(kind),
               .is_json = (flags & kJson) != 0,
               .is_unknown_service = (flags & kUnknownService) != 0,
               .stream = endian::load_big_u32(bytes_at(text, 2)),
               .id = endian::load_big_u64(bytes_at(text, 6)),
               .service = std::string(text.substr(kFixedBytes, service_bytes)),
               .payload = std::string(text.substr(kFixedBytes + service_bytes))};
}

std::size_t cost(const Frame& frame) noexcept {
  return kCostPerFrame + frame.service.size() + frame.payload.size();
}

std::size_t max_cost(std::size_t max_payload_bytes) noexcept {
  return kCostPerFrame + kMaxServiceBytes + max_payload_bytes;
}

bool needs_credit(FrameKind kind) noexcept {
  return kind == FrameKind::message || kind == FrameKind::request || kind == FrameKind::subscribe;
}

}  // namespace livetls::node
