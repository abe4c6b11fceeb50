// A stream of messages: however it arrives, the same messages and the same fault, and what was read
// can be sent and is read as the same.
//
// Input: the framing (read_framing), where the stream is cut (FuzzInput::cuts), then the stream.

#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/tcp/framing.hpp"

namespace livetls::fuzz {
namespace {

using tcp::Framer;
using tcp::Framing;

constexpr std::size_t kMaxMessage = 300;

tcp::LengthField read_length_field(FuzzInput& input) {
  const std::uint32_t flags = input.number(1);
  tcp::LengthField field{.bytes = std::size_t{1} << (flags & 3), .max_bytes = kMaxMessage};
  if (flags & 4) field.order = tcp::ByteOrder::little_endian;
  field.counts_header = (flags & 8) != 0;
  field.allows_empty = (flags & 16) != 0;
  field.position = input.number(1) % 16;
  if (flags & 32) field.header_bytes = field.position + field.bytes + input.number(1) % 16;
  return field;
}

Framing read_framing(FuzzInput& input) {
  switch (input.number(1) % 3) {
    case 0: return tcp::FixedLength{1 + input.number(1)};
    case 1: return read_length_field(input);
    default: break;
  }
  const auto text = input.take(1 + input.number(1) % 4);
  tcp::Delimiter delimiter{.max_bytes = kMaxMessage};
  if (!text.empty()) delimiter.text.assign(text.begin(), text.end());
  return delimiter;
}

struct Message {
  std::string header, payload;
  friend bool operator==(const Message&, const Message&) = default;
};

struct Messages {
  std::vector<Message> all;
  boost::system::error_code fault;
  friend bool operator==(const Messages&, const Messages&) = default;
};

Messages read(const Framing& framing, std::string_view stream,
              const std::vector<std::size_t>& cuts) {
  Framer framer(framing);
  Messages messages;
  std::size_t begin = 0, next_cut = 0;
  while (true) {
    const bool at_end = next_cut >= cuts.size();
    const std::size_t end = at_end ? stream.size() : std::min(cuts[next_cut++], stream.size());
    while (end > begin) {
      // A copy of its own size, so that a sanitizer sees every access beyond it.
      const std::vector<char> arrived(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                      stream.begin() + static_cast<std::ptrdiff_t>(end));
      const auto found = framer.find({arrived.data(), arrived.size()});
      if (!found) {
        messages.fault = found.error().code;
        return messages;
      }
      if (!*found) break;
      const Framer::Frame& frame = **found;
      require(frame.size() > 0 && frame.size() <= end - begin, "a message is some of what arrived");
      require(frame.payload <= kMaxMessage, "no message is larger than it may be");
      messages.all.push_back({std::string(stream.substr(begin, frame.header)),
                              std::string(stream.substr(begin + frame.header, frame.payload))});
      begin += frame.size();
    }
    if (at_end) return messages;
  }
}

std::string written(const Framing& framing, const std::vector<Message>& messages) {
  const Framer framer(framing);
  std::string stream;
  for (const Message& message : messages) {
    const auto header = framer.header_for(message.payload, message.header);
    require(header.has_value(), "what was read can be sent");
    require(*header == message.header, "with the header that it had");
    stream += *header + message.payload + std::string(framer.trailer());
  }
  return stream;
}

void check(FuzzInput input) {
  const Framing framing = read_framing(input);
  const auto cuts = input.cuts();
  const auto bytes = copy(input.rest());
  const std::string_view stream(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const Messages at_once = read(framing, stream, {});
  require(read(framing, stream, cuts) == at_once, "pieces change nothing");
  const std::string again = written(framing, at_once.all);
  require(stream.starts_with(again), "messages are sent as they came");
}

const Target kTarget("framing", [](Bytes input) { check(input); });

}  // namespace
}  // namespace livetls::fuzz
