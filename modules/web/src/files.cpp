#include "livetls/web/files.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "conditions.hpp"
#include "http_date.hpp"
#include "media_types.hpp"

namespace livetls::web {
namespace {

/// Up to this, a file is one piece with its header.
constexpr std::uint64_t kPiece = 32 * 1024;

/// And what is sent as a whole, with the head.
constexpr std::uint64_t kWhole = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

/// Whatever the path and the links in it say, it stays below the folder.
Descriptor open_below(int folder, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a pipe must not stop the server
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* relative = path.empty() ? "." : path.c_str();
  return Descriptor(static_cast<int>(::syscall(SYS_openat2, folder, relative, &how, sizeof how)));
}

bool has_encoded_slash(std::string_view path) {
  return path.find("%2F") != path.npos || path.find("%2f") != path.npos;
}

bool is_hidden(std::string_view path) {
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.starts_with('.') && segment != ".well-known") return true;
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
  }
  return false;
}

void read_at(int fd, std::uint64_t offset, std::string& into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t bytes =
        ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) throw std::system_error(errno, std::system_category(), "reading a file");
    if (bytes == 0) throw std::runtime_error("a file has become shorter while it was sent");
    done += static_cast<std::size_t>(bytes);
  }
}

void give_body(Response& response, std::shared_ptr<const Descriptor> file, ByteRange range) {
  const std::uint64_t size = range.end - range.begin;
  if (size <= kWhole) {
    response.body.resize(size);
    read_at(file->get(), range.begin, response.body);
    return;
  }
  response.stream_bytes = size;
  response.stream = [file = std::move(file), range](BodyWriter& out) -> Task<void> {
    std::string piece;
    for (std::uint64_t at = range.begin; at < range.end; at += piece.size()) {
      piece.resize(std::min(kPiece, range.end - at));
      read_at(file->get(), at, piece);
      co_await out.write(piece);
    }
  };
}

class FolderOfFiles {
 public:
  FolderOfFiles(const std::filesystem::path& root, FileOptions options)
      : root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        options_(std::move(options)) {
    if (!root_.is_open()) throw std::system_error(errno, std::system_category(), root.string());
  }

  Response answer(const Request& request) const {
    std::string path = request.param("path");
    if (has_encoded_slash(request.path()) || path.find('\0') != path.npos ||
        path.starts_with('/') || (!options_.hidden && is_hidden(path))) {
      return Response::status(404);
    }
    auto file = std::make_shared<const Descriptor>(open_below(root_.get(), path));
    struct stat status {};
    if (!file->is_open() || ::fstat(file->get(), &status) != 0) return Response::status(404);
    if (S_ISDIR(status.st_mode)) {
      if (options_.index.empty()) return Response::status(404);
      if (!request.path().ends_with('/')) return with_slash(request);
      path += options_.index;
      file = std::make_shared<const Descriptor>(open_below(root_.get(), path));
      if (!file->is_open() || ::fstat(file->get(), &status) != 0) return Response::status(404);
    }
    if (!S_ISREG(status.st_mode) || path.ends_with('/')) return Response::status(404);
    return of_file(request, path, std::move(file), status);
  }

 private:
  static Response with_slash(const Request& request) {
    Response response = Response::status(308);
    std::string location(request.path());
    // Two slashes at the beginning would be another host.
    location.erase(0, std::min(location.size(), location.find_first_not_of('/')));
    response.headers.set("Location", "/" + location + "/");
    return response;
  }

  Response of_file(const Request& request, const std::string& path,
                   std::shared_ptr<const Descriptor> file, const struct stat& status) const {
    using Kind = RangeAnswer::Kind;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::array<char, 64> etag;
    std::snprintf(etag.data(), etag.size(), "\"%llx-%llx%09lx\"",
                  static_cast<unsigned long long>(size),
                  static_cast<unsigned long long>(status.st_mtim.tv_sec),
                  static_cast<unsigned long>(status.st_mtim.tv_nsec));
    const Validators validators{etag.data(),
                                std::chrono::sys_seconds(std::chrono::seconds(status.st_mtime))};
    Response response{.status_code = status_by_conditions(request, validators)};
    response.headers.set("ETag", validators.etag);
    response.headers.set("Last-Modified", http_date(validators.modified));
    if (!options_.cache_control.empty()) {
      response.headers.set("Cache-Control", options_.cache_control);
    }
    if (response.status_code != 0) return response;
    response.headers.set("Accept-Ranges", "bytes");
    response.headers.set("Content-Type", type_of(path));
    const RangeAnswer asked = range_of(request, size, validators);
    const std::string whole = std::to_string(size);
    if (asked.kind == Kind::unsatisfiable) {
      response.status_code = 416;
      response.headers.set("Content-Range", "bytes */" + whole);
      return response;
    }
    const bool part = asked.kind == Kind::part;
    const ByteRange range = part ? asked.range : ByteRange{0, size};
    response.status_code = part ? 206 : 200;
    if (part) {
      response.headers.set("Content-Range", "bytes " + std::to_string(range.begin) + "-" +
                                                std::to_string(range.end - 1) + "/" + whole);
    }
    give_body(response, std::move(file), range);
    return response;
  }

  std::string_view type_of(std::string_view path) const {
    const std::size_t dot = path.rfind('.');
    if (dot != path.npos) {
      const auto found = options_.types.find(path.substr(dot + 1));
      if (found != options_.types.end()) return found->second;
    }
    return media_type(path);
  }

  const Descriptor root_;
  const FileOptions options_;
};

}  // namespace

Handler serve_files(const std::filesystem::path& root, FileOptions options) {
  const auto folder = std::make_shared<const FolderOfFiles>(root, std::move(options));
  return [folder](Request& request) { return folder->answer(request); };
}

}  // namespace livetls::web
