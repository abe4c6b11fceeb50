#pragma once

#include <cstdint>
#include <string>

#include "livetls/web/router.hpp"

namespace livetls::web {

struct RedirectOptions {
  /// Where to; empty: the host that was asked for.
  std::string host = {};
  std::uint16_t port = 443;
};

/// For a server without TLS beside one with it: sends everybody there (308, so that methods and
/// bodies stay what they are).
///
///     web::Server plain(runtime, nullptr, redirect_to_https(), {.port = 80, .plain = true});
Router redirect_to_https(RedirectOptions options = {});

}  // namespace livetls::web
