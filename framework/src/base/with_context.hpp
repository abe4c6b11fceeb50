#pragma once

#include <string_view>
#include <utility>

#include "livetls/base/error.hpp"

namespace livetls {

/// The same error, told where it happened: `where` goes in front of what the context already says.
inline Error with_context(std::string_view where, Error error) {
  std::string context(where);
  if (!context.empty() && !error.context.empty()) context += ": ";
  error.context = context + error.context;
  return error;
}

}  // namespace livetls
