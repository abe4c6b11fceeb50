#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace livetls::test {

using Bytes = std::vector<std::uint8_t>;

/// Big-endian, as everything in TLS.
inline void append_number(Bytes& to, std::size_t value, std::size_t width) {
  while (width-- > 0) to.push_back(static_cast<std::uint8_t>(value >> (8 * width)));
}

inline void append(Bytes& to, std::span<const std::uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// A vector with its length before it.
inline Bytes prefixed(std::size_t width, std::span<const std::uint8_t> bytes) {
  Bytes result;
  append_number(result, bytes.size(), width);
  append(result, bytes);
  return result;
}

inline Bytes to_bytes(std::string_view text) { return {text.begin(), text.end()}; }

inline Bytes code_points(std::initializer_list<std::uint16_t> codes) {
  Bytes result;
  for (const std::uint16_t code : codes) append_number(result, code, 2);
  return result;
}

/// Builds ClientHellos, well-formed where nothing else is asked for: a test changes the one part
/// that it is about.
struct ClientHelloBuilder {
  std::uint16_t legacy_version = 0x0303;
  Bytes session_id = Bytes(32, 0x5e);
  Bytes cipher_suites = code_points({0x1301, 0xc02b});
  Bytes compressions = {0};
  std::vector<std::pair<std::uint16_t, Bytes>> extensions;
  bool has_extensions = true;
  Bytes after_extensions;

  ClientHelloBuilder& with(std::uint16_t type, Bytes data) {
    extensions.emplace_back(type, std::move(data));
    return *this;
  }

  /// An entry of the server_name extension.
  static Bytes server_name_entry(std::string_view name, std::uint8_t type = 0) {
    Bytes entry = {type};
    append(entry, prefixed(2, to_bytes(name)));
    return entry;
  }

  ClientHelloBuilder& with_server_name(std::string_view name) {
    return with(0, prefixed(2, server_name_entry(name)));
  }

  ClientHelloBuilder& with_alpn(std::initializer_list<std::string_view> protocols) {
    Bytes list;
    for (const auto protocol : protocols) append(list, prefixed(1, to_bytes(protocol)));
    return with(16, prefixed(2, list));
  }

  /// What ClientHello::parse takes.
  Bytes body() const {
    Bytes body;
    append_number(body, legacy_version, 2);
    body.resize(body.size() + 32, 0xaa);  // random
    append(body, prefixed(1, session_id));
    append(body, prefixed(2, cipher_suites));
    append(body, prefixed(1, compressions));
    if (has_extensions) {
      Bytes list;
      for (const auto& [type, data] : extensions) {
        append_number(list, type, 2);
        append(list, prefixed(2, data));
      }
      append(body, prefixed(2, list));
    }
    append(body, after_extensions);
    return body;
  }

  /// A handshake message.
  Bytes message() const {
    Bytes message = {1};
    append(message, prefixed(3, body()));
    return message;
  }

  /// In records of `fragment` bytes each; in one where it is not given.
  Bytes records(std::optional<std::size_t> fragment = {}) const {
    const Bytes whole = message();
    return split(whole, fragment.value_or(whole.size()));
  }

  static Bytes record(std::span<const std::uint8_t> fragment, std::uint8_t type = 22) {
    Bytes record = {type, 3, 1};
    append(record, prefixed(2, fragment));
    return record;
  }

  static Bytes split(std::span<const std::uint8_t> message, std::size_t fragment) {
    Bytes records;
    while (!message.empty()) {
      const std::size_t size = std::min(fragment, message.size());
      append(records, record(message.first(size)));
      message = message.subspan(size);
    }
    return records;
  }
};

}  // namespace livetls::test
