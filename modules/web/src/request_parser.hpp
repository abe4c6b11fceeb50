#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "livetls/web/request.hpp"

namespace livetls::web {

/// Fills one Request from bytes as they arrive. Beast's parser finds the parts; what it lets pass
/// and a server must not (RFC 9112) is refused here.
class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  /// The request must outlive the parser.
  RequestParser(Request& request, std::size_t max_header_bytes, std::size_t max_header_fields);

  /// Once the header is complete: what is taken of the body is appended to `into`, which must be
  /// there at the next call of `take`. Above `max_bytes` altogether it is refused.
  void body_goes_to(std::string& into, std::uint64_t max_bytes);

  /// Takes what belongs to the request, up to the end of its header first, and returns how much
  /// that was. What it leaves must be there again, with more behind it, at the next call.
  std::size_t take(boost::asio::const_buffer bytes);

  bool header_is_complete() const { return is_header_done(); }
  bool is_complete() const { return refusal_ == 0 && is_done(); }

  /// How much of the body is still to come; nothing where only its end will tell.
  std::optional<std::uint64_t> missing_bytes() const;

  /// The status to refuse the request with; 0 while nothing speaks against it.
  int refusal() const noexcept { return refusal_; }

  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_; }

  bool is_http_1_0() const noexcept { return is_http_1_0_; }

 private:
  using Base = boost::beast::http::basic_parser<true>;
  using Text = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version,
                       ErrorCode& error) override;
  void on_field_impl(boost::beast::http::field, Text name, Text value, ErrorCode& error) override;
  void on_header_impl(ErrorCode& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override;
  std::size_t on_body_impl(Text bytes, ErrorCode& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t, Text bytes, ErrorCode& error) override;
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_chunk_header_impl(std::uint64_t size, Text, ErrorCode& error) override;
  void on_finish_impl(ErrorCode&) override {}

  bool may_be_short_last_chunk(std::string_view bytes) const;
  void refuse(int status, ErrorCode& error);
  std::size_t take_body(Text bytes, ErrorCode& error);
  int check_host() const;
  int check_length() const;
  int check_expectation();
  bool was_folded(Text name, Text value) const;

  Request& request_;
  const std::size_t max_header_bytes_;
  const std::size_t max_header_fields_;
  std::size_t header_bytes_ = 0;
  std::string* body_ = nullptr;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t max_body_bytes_ = 0;
  boost::asio::const_buffer input_;  // of the current call
  std::string authority_;            // where the target is an absolute URI
  int refusal_ = 0;
  bool is_http_1_0_ = false;
  bool chunk_seen_ = false;
  bool expects_continue_ = false;
};

}  // namespace livetls::web
