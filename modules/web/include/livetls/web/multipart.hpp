#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "livetls/web/headers.hpp"
#include "livetls/web/request.hpp"

namespace livetls::web {

/// Reads a form with files (multipart/form-data, RFC 7578) while it arrives, part by part:
///
///     router.post("/upload", Handler::streaming([](Request& request) -> Task<Status> {
///       MultipartReader form(request);
///       while (const auto part = co_await form.next()) {
///         std::string piece;
///         while (co_await form.read(piece)) { file.write(piece); piece.clear(); }
///       }
///       co_return Status{204};
///     }));
///
/// All functions throw HttpError (400 for what is malformed or ends early) and what
/// Request::read_body does. The request must outlive it.
class MultipartReader {
 public:
  struct Part {
    std::string name;  ///< of the form's field

    /// What the client calls the file, without folders; nothing where it is none. Any characters
    /// may be in it: use it to show, not to name a file of yours.
    std::optional<std::string> file_name;

    Headers headers;
  };

  struct Limits {
    std::size_t max_parts = 1000;
    std::size_t max_header_bytes = 8 * 1024;  ///< of each part
  };

  /// Throws HttpError: 415 for another Content-Type.
  explicit MultipartReader(Request& request) : MultipartReader(request, Limits()) {}
  MultipartReader(Request& request, Limits limits);

  /// The next part, after what is left of the one before has been passed over; nothing at the end.
  Task<std::optional<Part>> next();

  /// Appends the next piece of the current part; false at its end.
  Task<bool> read(std::string& into);

  /// The rest of the current part. A 413 where it is more than `max_bytes`.
  Task<std::string> read_text(std::size_t max_bytes = 64 * 1024);

 private:
  enum class Where { before_parts, in_part, between_parts, at_end };

  Task<void> receive();
  Task<std::size_t> find_line_end();
  Task<Part> read_header();

  Request& request_;
  const Limits limits_;
  std::string delimiter_;
  std::string buffer_;
  std::size_t parts_ = 0;
  Where where_ = Where::before_parts;
};

}  // namespace livetls::web
