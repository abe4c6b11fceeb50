#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "livetls/base/result.hpp"
#include "livetls/pki/server_name.hpp"

namespace livetls::node {

/// "orders@host1.example": what a node is called, and what its certificate is for. A value.
class NodeName {
 public:
  static constexpr std::size_t kMaxBytes = 255;

  /// Before the @ come letters, digits, '.', '_' and '-'; behind it, a server name. Errors:
  /// invalid_name.
  static Result<NodeName> parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  const ServerName& host() const noexcept { return host_; }

  friend auto operator<=>(const NodeName&, const NodeName&) = default;

 private:
  NodeName(std::string text, ServerName host) : text_(std::move(text)), host_(std::move(host)) {}

  std::string text_;
  ServerName host_;
};

}  // namespace livetls::node
