#include "livetls/tcp/framing.hpp"

#include <algorithm>
#include <boost/system/error_category.hpp>
#include <stdexcept>
#include <utility>

namespace livetls::tcp {
namespace {

class FramingCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "livetls.framing"; }

  std::string message(int code) const override {
    switch (static_cast<FramingErrc>(code)) {
      case FramingErrc::empty_message: return "a message is empty";
      case FramingErrc::message_too_large: return "a message is too large";
      case FramingErrc::message_too_short: return "a message is shorter than its header";
      case FramingErrc::message_truncated: return "the stream ended within a message";
      case FramingErrc::wrong_length: return "a message or its header has the wrong length";
      case FramingErrc::contains_delimiter: return "a message contains what ends messages";
    }
    return "unknown";
  }
};

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

void check(const Raw& raw) { require(raw.max_bytes > 0, "Raw.max_bytes must be above zero"); }

void check(const FixedLength& fixed) {
  require(fixed.bytes > 0, "FixedLength.bytes must be above zero");
}

void check(const Delimiter& delimiter) {
  require(!delimiter.text.empty(), "Delimiter.text must not be empty");
}

void check(const LengthField& field) {
  const bool size = field.bytes == 1 || field.bytes == 2 || field.bytes == 4 || field.bytes == 8;
  require(size, "LengthField.bytes must be 1, 2, 4 or 8");
  require(field.position <= 64 * 1024 && field.header_bytes <= 64 * 1024,
          "LengthField: a header has 65536 bytes at most");
  require(field.header_bytes == 0 || field.position + field.bytes <= field.header_bytes,
          "LengthField: the field must be within the header");
  require(field.max_bytes > 0 && field.max_bytes <= std::numeric_limits<std::size_t>::max() / 2,
          "LengthField.max_bytes must be above zero");
}

std::size_t header_size(const LengthField& field) {
  return field.header_bytes != 0 ? field.header_bytes : field.position + field.bytes;
}

/// Of the byte that counts 256 to the power of `index`.
std::size_t place_of(const LengthField& field, std::size_t index) {
  const bool little = field.order == ByteOrder::little_endian;
  return field.position + (little ? index : field.bytes - 1 - index);
}

std::uint64_t read_length(const LengthField& field, std::string_view header) {
  std::uint64_t length = 0;
  for (std::size_t i = field.bytes; i > 0; --i) {
    length = length << 8 | static_cast<unsigned char>(header[place_of(field, i - 1)]);
  }
  return length;
}

void write_length(const LengthField& field, std::uint64_t length, std::string& header) {
  for (std::size_t i = 0; i < field.bytes; ++i, length >>= 8) {
    header[place_of(field, i)] = static_cast<char>(length & 0xff);
  }
}

bool fits(const LengthField& field, std::uint64_t length) {
  return field.bytes == 8 || length >> (8 * field.bytes) == 0;
}

}  // namespace

const boost::system::error_category& framing_category() noexcept {
  static const FramingCategory category;
  return category;
}

boost::system::error_code make_error_code(FramingErrc code) noexcept {
  return {static_cast<int>(code), framing_category()};
}

Framer::Framer(Framing framing) : framing_(std::move(framing)) {
  std::visit([](const auto& kind) { check(kind); }, framing_);
}

// ---- Received ----------------------------------------------------------------------------------

Framer::Found Framer::find(std::string_view arrived) {
  return std::visit([&](const auto& kind) { return find(kind, arrived); }, framing_);
}

Framer::Found Framer::find(const Raw& framing, std::string_view arrived) {
  if (arrived.empty()) return std::optional<Frame>();
  return std::optional(Frame{.payload = std::min(arrived.size(), framing.max_bytes)});
}

Framer::Found Framer::find(const FixedLength& framing, std::string_view arrived) {
  if (arrived.size() < framing.bytes) return std::optional<Frame>();
  return std::optional(Frame{.payload = framing.bytes});
}

Framer::Found Framer::find(const LengthField& framing, std::string_view arrived) {
  const std::size_t header = header_size(framing);
  if (arrived.size() < header) return std::optional<Frame>();
  std::uint64_t length = read_length(framing, arrived);
  if (framing.counts_header) {
    if (length < header) return Error(FramingErrc::message_too_short);
    length -= header;
  }
  if (length > framing.max_bytes) return Error(FramingErrc::message_too_large);
  if (length == 0 && !framing.allows_empty) return Error(FramingErrc::empty_message);
  const Frame frame{.header = header, .payload = static_cast<std::size_t>(length)};
  return arrived.size() < frame.size() ? std::optional<Frame>() : std::optional(frame);
}

Framer::Found Framer::find(const Delimiter& framing, std::string_view arrived) {
  const std::size_t at = arrived.find(framing.text, searched_);
  const bool found = at != arrived.npos;
  // Its beginning may be what has arrived last.
  const std::size_t overlap = std::min(arrived.size(), framing.text.size() - 1);
  const std::size_t payload = found ? at : arrived.size() - overlap;
  if (payload > framing.max_bytes) return Error(FramingErrc::message_too_large);
  searched_ = found ? 0 : payload;
  if (!found) return std::optional<Frame>();
  return std::optional(Frame{.payload = payload, .trailer = framing.text.size()});
}

// ---- To be sent --------------------------------------------------------------------------------

namespace {

using Header = Result<std::string>;

Header header_for(const Raw&, std::string_view, std::string_view) { return std::string(); }

Header header_for(const FixedLength& framing, std::string_view payload, std::string_view) {
  if (payload.size() != framing.bytes) return Error(FramingErrc::wrong_length);
  return std::string();
}

Header header_for(const LengthField& framing, std::string_view payload, std::string_view header) {
  const std::size_t size = header_size(framing);
  if (!header.empty() && header.size() != size) return Error(FramingErrc::wrong_length);
  if (payload.empty() && !framing.allows_empty) return Error(FramingErrc::empty_message);
  const std::uint64_t length = payload.size() + (framing.counts_header ? size : 0);
  if (payload.size() > framing.max_bytes || !fits(framing, length)) {
    return Error(FramingErrc::message_too_large);
  }
  std::string filled = header.empty() ? std::string(size, '\0') : std::string(header);
  write_length(framing, length, filled);
  return filled;
}

Header header_for(const Delimiter& framing, std::string_view payload, std::string_view) {
  if (payload.size() > framing.max_bytes) return Error(FramingErrc::message_too_large);
  // A delimiter may also begin in the message and end in its own.
  const std::size_t overlap = std::min(payload.size(), framing.text.size() - 1);
  const std::string end = std::string(payload.substr(payload.size() - overlap)) + framing.text;
  if (payload.find(framing.text) != payload.npos || end.find(framing.text) != overlap) {
    return Error(FramingErrc::contains_delimiter);
  }
  return std::string();
}

}  // namespace

Result<std::string> Framer::header_for(std::string_view payload, std::string_view header) const {
  if (!header.empty() && !std::holds_alternative<LengthField>(framing_)) {
    return Error(FramingErrc::wrong_length);
  }
  return std::visit([&](const auto& kind) { return tcp::header_for(kind, payload, header); },
                    framing_);
}

std::string_view Framer::trailer() const noexcept {
  const auto* delimiter = std::get_if<Delimiter>(&framing_);
  return delimiter == nullptr ? std::string_view() : std::string_view(delimiter->text);
}

}  // namespace livetls::tcp
