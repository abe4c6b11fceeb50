#include "media_types.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "ascii.hpp"

namespace livetls::web {
namespace {

using Type = std::pair<std::string_view, std::string_view>;

constexpr std::array kTypes = std::to_array<Type>({
    {"aac", "audio/aac"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
});
static_assert(std::ranges::is_sorted(kTypes, {}, &Type::first));

}  // namespace

std::string_view media_type(std::string_view file_name) noexcept {
  const std::size_t dot = file_name.rfind('.');
  const std::string extension =
      dot == file_name.npos ? std::string() : lower(file_name.substr(dot + 1));
  const auto found =
      std::ranges::lower_bound(kTypes, std::string_view(extension), {}, &Type::first);
  const bool known = found != kTypes.end() && found->first == extension;
  return known ? found->second : "application/octet-stream";
}

}  // namespace livetls::web
