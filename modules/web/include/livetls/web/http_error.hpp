#pragma once

#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <string>

#include "livetls/web/response.hpp"

namespace livetls::web {

/// Thrown by a handler, by middleware or by what reads a handler's arguments: ends the request with
/// this status. The detail is for the client, so it must hold nothing internal.
class HttpError : public std::runtime_error {
 public:
  /// `status_code` from 400 to 599; std::invalid_argument else.
  explicit HttpError(int status_code, const std::string& detail = {})
      : std::runtime_error(detail), status_code_(status_code) {
    if (status_code < 400 || status_code > 599) {
      throw std::invalid_argument("an HttpError's status is from 400 to 599");
    }
  }

  int status_code() const noexcept { return status_code_; }
  Response response() const { return Response::problem(status_code_, what()); }

 private:
  int status_code_;
};

/// Thrown where the client has gone, or is to be let go of: there is nobody to answer.
class ConnectionLost : public boost::system::system_error {
 public:
  using boost::system::system_error::system_error;
};

}  // namespace livetls::web
