#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "livetls/base/result.hpp"

namespace livetls::tcp {

// ---- How a stream of bytes is cut into messages ------------------------------------------------

/// What has arrived is a message.
struct Raw {
  /// Of one message; what has arrived beyond is the next.
  std::size_t max_bytes = 64 * 1024;
};

/// All messages have the same length.
struct FixedLength {
  std::size_t bytes = 0;  ///< above zero
};

enum class ByteOrder { big_endian, little_endian };

/// A header before each message says how long it is:
///
///     LengthField{.bytes = 2}    // 16 bits, then as many bytes
///     LengthField{.bytes = 4, .position = 4, .header_bytes = 12, .counts_header = true}
struct LengthField {
  std::size_t bytes = 4;  ///< of the field: 1, 2, 4 or 8
  ByteOrder order = ByteOrder::big_endian;
  std::size_t position = 0;      ///< of the field in the header
  std::size_t header_bytes = 0;  ///< of all of it; 0: it ends with the field

  bool counts_header = false;  ///< the field's number includes the header
  bool allows_empty = false;   ///< messages that are nothing but a header

  /// Of a message, without its header.
  std::size_t max_bytes = 1024 * 1024;
};

/// A text ends each message, as a line break ends a line.
struct Delimiter {
  std::string text = "\n";
  std::size_t max_bytes = 64 * 1024;  ///< of a message, without its delimiter
};

using Framing = std::variant<Raw, FixedLength, LengthField, Delimiter>;

/// What is wrong with a message.
enum class FramingErrc {
  empty_message = 1,  ///< received: its length is 0
  message_too_large,  ///< for the limit or, to be sent, for the length field
  message_too_short,  ///< received: shorter than the header that its length includes
  message_truncated,  ///< received: the stream has ended within it
  wrong_length,       ///< to be sent: not FixedLength's, or its header is not as long as it must be
  contains_delimiter,  ///< to be sent: it would come out as two
};

const boost::system::error_category& framing_category() noexcept;
boost::system::error_code make_error_code(FramingErrc code) noexcept;

/// Finds messages in bytes, and says what goes around them. It reads nothing and owns nothing.
///
/// Thread safety: none.
class Framer {
 public:
  /// Throws std::invalid_argument for a framing that cannot be, such as a field of three bytes.
  explicit Framer(Framing framing);

  /// A message, by its parts.
  struct Frame {
    std::size_t header = 0;
    std::size_t payload = 0;
    std::size_t trailer = 0;

    std::size_t size() const noexcept { return header + payload + trailer; }
    friend bool operator==(const Frame&, const Frame&) = default;
  };

  /// The message that `arrived` begins with; nothing while it is not whole. Until it is, what is
  /// passed must begin with what was passed before: no byte is looked at twice. Errors:
  /// FramingErrc, after which the stream cannot be read any further.
  Result<std::optional<Frame>> find(std::string_view arrived);

  /// What is to be sent before the payload. `header` is empty or has the length of a LengthField's
  /// header, in which the field is filled in. Errors: FramingErrc.
  Result<std::string> header_for(std::string_view payload, std::string_view header = {}) const;

  /// And after it.
  std::string_view trailer() const noexcept;

 private:
  using Found = Result<std::optional<Frame>>;

  Found find(const Raw& framing, std::string_view arrived);
  Found find(const FixedLength& framing, std::string_view arrived);
  Found find(const LengthField& framing, std::string_view arrived);
  Found find(const Delimiter& framing, std::string_view arrived);

  Framing framing_;
  std::size_t searched_ = 0;  // where no delimiter begins
};

}  // namespace livetls::tcp

namespace boost::system {
template <>
struct is_error_code_enum<livetls::tcp::FramingErrc> : std::true_type {};
}  // namespace boost::system
