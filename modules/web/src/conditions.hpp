#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "livetls/web/request.hpp"

namespace livetls::web {

/// What names one state of a resource.
struct Validators {
  std::string_view etag;  ///< with its quotation marks
  std::chrono::sys_seconds modified;
};

/// 304 or 412 where the request's conditions (RFC 9110, section 13.2.2) want it; 0 else.
int status_by_conditions(const Request& request, const Validators& validators);

/// Bytes of a whole, from `begin` up to `end`.
struct ByteRange {
  std::uint64_t begin;
  std::uint64_t end;
};

/// What a request asks for of a whole of `size` bytes (RFC 9110, section 14.2). Several pieces, and
/// what is malformed or bound to another state, stand for the whole, as they may.
struct RangeAnswer {
  enum class Kind { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  ByteRange range{};
};
RangeAnswer range_of(const Request& request, std::uint64_t size, const Validators& validators);

}  // namespace livetls::web
