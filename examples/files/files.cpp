// Serves a folder over HTTPS, and takes uploads into it:
//
//     curl --cacert ca.pem https://localhost:8443/upload -F file=@picture.png

#include "livetls/web/files.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "livetls/net/runtime.hpp"
#include "livetls/rotation/cert_manager.hpp"
#include "livetls/web/middleware/access_log.hpp"
#include "livetls/web/middleware/body_limit.hpp"
#include "livetls/web/middleware/security_headers.hpp"
#include "livetls/web/multipart.hpp"
#include "livetls/web/server.hpp"

using namespace livetls;
using web::Handler, web::MultipartReader, web::Request, web::Response;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxUpload = 1ULL << 30;

/// A name of ours: the client's may be anything.
fs::path new_file(const fs::path& folder, const Request& request, int number) {
  return folder / ("upload-" + request.id() + "-" + std::to_string(number));
}

/// Writes what arrives as it arrives, however large it is.
Task<std::string> save_files(Request& request, fs::path folder) {
  MultipartReader form(request);
  std::string names;
  int number = 0;
  while (true) {
    const auto part = co_await form.next();
    if (!part) break;
    const fs::path path = new_file(folder, request, ++number);
    std::ofstream file(path, std::ios::binary);
    std::string piece;
    bool more = true;
    while (more) {
      piece.clear();
      more = co_await form.read(piece);
      file << piece;
    }
    if (!file.flush()) throw std::runtime_error(path.string() + " cannot be written");
    names += path.filename().string() + "\n";
  }
  co_return names;
}

web::Router routes(const fs::path& folder) {
  web::Router router;
  router.use(web::access_log()).use(web::security_headers());
  router.group("/upload", [&](web::Router& upload) {
    upload.use(web::body_limit(kMaxUpload));
    upload.post(
        "", Handler::streaming([folder](Request& request) { return save_files(request, folder); }));
  });
  router.get("/{path...}", web::serve_files(folder));
  return router;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: files CERT_FILE KEY_FILE FOLDER PORT");
  const auto load = [argv] { return Certificate::load(argv[1], argv[2]); };

  Runtime runtime;
  const auto manager = CertManager::create(load().value()).value();
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[4]));
  web::Server server(runtime, manager, routes(argv[3]), {.port = port});

  runtime.on_signal(SIGHUP, [&] {
    const auto renewed = load();
    const auto receipt = renewed ? manager->update(*renewed) : renewed.error();
    std::cerr << (receipt ? "updated" : "kept the old: " + receipt.error().message()) << std::endl;
  });
  std::cout << "https://localhost:" << server.port() << "/" << std::endl;
  runtime.run();
} catch (const std::exception& error) {
  std::cerr << "files: " << error.what() << '\n';
  return 1;
}
