#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "livetls/web/handler.hpp"

namespace livetls::web {

struct FileOptions {
  /// What a folder is answered with; empty: nothing.
  std::string index = "index.html";

  /// Serve what begins with a dot, too. ".well-known" always is.
  bool hidden = false;

  /// The Cache-Control of every file; empty: none.
  std::string cache_control = {};

  /// Media types by extension, such as {"md", "text/markdown; charset=utf-8"}, before those that
  /// are known.
  std::map<std::string, std::string, std::less<>> types = {};
};

/// Serves the files below a folder, for a pattern that ends in `{path...}`:
///
///     router.get("/static/{path...}", serve_files("/srv/www"));
///
/// With ETag, Last-Modified and the conditions on them, a Range of one piece, and the media type by
/// the extension. What is not below the folder is not there: neither by "..", nor by a link that
/// leads out of it, nor by an encoded slash. Files are read while they are sent, on the server's
/// thread, so they should be on a local disk.
///
/// Throws std::system_error where the folder cannot be opened. It stays open, whatever is put in
/// its place.
Handler serve_files(const std::filesystem::path& root, FileOptions options = {});

}  // namespace livetls::web
