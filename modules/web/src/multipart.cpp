// The delimiter is looked for as "\r\n--boundary", the line break before the first one made up.
// What cannot be its beginning is handed on, so that no more than a piece is held.

#include "livetls/web/multipart.hpp"

#include <stdexcept>
#include <utility>

#include "ascii.hpp"
#include "header_parameters.hpp"
#include "livetls/web/http_error.hpp"

namespace livetls::web {
namespace {

[[noreturn]] void refuse(const char* why) { throw HttpError(400, why); }

std::string boundary_of(const Request& request) {
  const std::string_view field = request.headers["Content-Type"];
  if (!equal_ignoring_case(without_parameters(field), "multipart/form-data")) {
    throw HttpError(415, "the body must be multipart/form-data");
  }
  const auto boundary = header_parameter(field, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) {
    refuse("the form's boundary is missing or too long");
  }
  return *boundary;
}

std::string without_folders(const std::string& name) {
  const std::size_t last = name.find_last_of("/\\");
  return last == name.npos ? name : name.substr(last + 1);
}

}  // namespace

MultipartReader::MultipartReader(Request& request, Limits limits)
    : request_(request),
      limits_(limits),
      delimiter_("\r\n--" + boundary_of(request)),
      buffer_("\r\n") {}

Task<void> MultipartReader::receive() {
  const bool any = co_await request_.read_body(buffer_);
  if (!any) throw HttpError(400, "the form ends early");
}

Task<std::optional<MultipartReader::Part>> MultipartReader::next() {
  std::string passed;
  if (where_ == Where::before_parts) where_ = Where::in_part;  // what comes first is no part
  while (co_await read(passed)) passed.clear();
  if (where_ == Where::at_end) co_return std::nullopt;

  while (buffer_.size() < 2) co_await receive();
  if (buffer_.starts_with("--")) {
    where_ = Where::at_end;
    co_return std::nullopt;
  }
  if (++parts_ > limits_.max_parts) throw HttpError(413, "the form has too many parts");
  const std::size_t line = co_await find_line_end();
  if (buffer_.find_first_not_of(" \t") != line) refuse("a boundary has something behind it");
  buffer_.erase(0, line + 2);
  Part part = co_await read_header();
  where_ = Where::in_part;
  co_return part;
}

/// Up to the delimiter, which is taken, too.
Task<bool> MultipartReader::read(std::string& into) {
  while (where_ == Where::in_part) {
    const std::size_t found = buffer_.find(delimiter_);
    if (found != buffer_.npos) {
      into.append(buffer_, 0, found);
      buffer_.erase(0, found + delimiter_.size());
      where_ = Where::between_parts;
      co_return found > 0;
    }
    if (buffer_.size() >= delimiter_.size()) {
      const std::size_t safe = buffer_.size() - delimiter_.size() + 1;
      into.append(buffer_, 0, safe);
      buffer_.erase(0, safe);
      co_return true;
    }
    co_await receive();
  }
  co_return false;
}

Task<std::string> MultipartReader::read_text(std::size_t max_bytes) {
  std::string text;
  while (co_await read(text)) {
    if (text.size() > max_bytes) throw HttpError(413, "a part of the form is too large");
  }
  co_return text;
}

Task<std::size_t> MultipartReader::find_line_end() {
  for (;;) {
    const std::size_t end = buffer_.find("\r\n");
    if (end != buffer_.npos && end <= limits_.max_header_bytes) co_return end;
    if (buffer_.size() > limits_.max_header_bytes) refuse("a part's header is too long");
    co_await receive();
  }
}

Task<MultipartReader::Part> MultipartReader::read_header() {
  Part part;
  std::size_t bytes = 0;
  for (;;) {
    const std::size_t end = co_await find_line_end();
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    if (line.empty()) break;
    bytes += line.size();
    if (bytes > limits_.max_header_bytes) refuse("a part's header is too long");
    const std::size_t colon = line.find(':');
    if (colon == line.npos) refuse("a part's header is malformed");
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    try {
      part.headers.add(line.substr(0, colon), value == line.npos ? "" : line.substr(value));
    } catch (const std::invalid_argument&) {
      refuse("a part's header is malformed");
    }
  }
  const std::string_view disposition = part.headers["Content-Disposition"];
  const auto name = header_parameter(disposition, "name");
  if (!equal_ignoring_case(without_parameters(disposition), "form-data") || !name) {
    refuse("a part has no name");
  }
  part.name = *name;
  if (const auto file = header_parameter(disposition, "filename")) {
    part.file_name = without_folders(*file);
  }
  co_return part;
}

}  // namespace livetls::web
