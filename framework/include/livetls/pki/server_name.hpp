#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "livetls/base/result.hpp"

namespace livetls {

/// What a client asks for, in the one spelling that is compared: a DNS name in lower case without
/// its trailing dot, or an IP address in canonical form (RFC 9525, section 6).
///
/// A value; safe to share between threads.
class ServerName {
 public:
  /// Errors: invalid_server_name for anything that is no host name of ASCII labels (A-labels for
  /// internationalised names) and no IP address. A wildcard is not a server name.
  static Result<ServerName> parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  bool is_ip() const noexcept { return is_ip_; }

  friend auto operator<=>(const ServerName&, const ServerName&) = default;

 private:
  ServerName(std::string text, bool is_ip) : text_(std::move(text)), is_ip_(is_ip) {}

  std::string text_;
  bool is_ip_;
};

/// A name as certificates and configurations hold it: a server name, or a wildcard for exactly one
/// whole left-most label ("*.example.com"; RFC 9525, section 6.3).
class NamePattern {
 public:
  /// Errors: invalid_server_name, also for "*", "*.com", "f*.example.com", "*.*.example.com" and
  /// wildcards over IP addresses.
  static Result<NamePattern> parse(std::string_view text);

  /// "*.example.com" matches "a.example.com", never "example.com" and never "a.b.example.com".
  bool matches(const ServerName& name) const noexcept;

  /// The canonical spelling, with the "*." where there is one.
  const std::string& text() const noexcept { return text_; }
  bool is_wildcard() const noexcept { return text_.starts_with("*."); }

  friend auto operator<=>(const NamePattern&, const NamePattern&) = default;

 private:
  NamePattern(std::string text, bool is_ip) : text_(std::move(text)), is_ip_(is_ip) {}

  std::string text_;
  bool is_ip_;
};

}  // namespace livetls
