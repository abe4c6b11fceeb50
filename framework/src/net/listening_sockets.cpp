#include "net/listening_sockets.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/system_error.hpp>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "net/apply_tcp_options.hpp"

namespace livetls {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::string_view kUnix = "unix:";

[[noreturn]] void throw_errno(const char* what) {
  throw boost::system::system_error(error_code(errno, boost::system::system_category()), what);
}

Acceptor open(Executor executor, asio::generic::stream_protocol protocol) {
  Acceptor acceptor(executor);
  acceptor.open(protocol);
  return acceptor;
}

// ---- TCP ---------------------------------------------------------------------------------------

tcp::endpoint resolve(const ListenerOptions& options) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) {
    throw std::invalid_argument(
        "ListenerOptions.address must be an IP address or \"unix:\" and a path, and \"" +
        options.address + "\" is neither");
  }
  return {address, options.port};
}

/// SO_REUSEPORT would let a second server of the same user take a part of the connections
/// unnoticed.
void check_that_port_is_free(Executor executor, const tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return;
  Acceptor probe = open(executor, endpoint.protocol());
  probe.set_option(asio::socket_base::reuse_address(true));
  if (endpoint.address().is_v6()) probe.set_option(asio::ip::v6_only(false));
  probe.bind(endpoint);
}

Acceptor listen_at(Executor executor, const tcp::endpoint& endpoint,
                   const ListenerOptions& options) {
  Acceptor acceptor = open(executor, endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.set_option(ReusePort(true));
  apply(options.tcp, acceptor.native_handle());  // accepted sockets inherit it
  if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false));
  acceptor.bind(endpoint);
  acceptor.listen(options.backlog);
  return acceptor;
}

std::uint16_t port_of(const Acceptor& acceptor) {
  const auto bound = acceptor.local_endpoint();
  tcp::endpoint endpoint;
  endpoint.resize(bound.size());
  std::memcpy(endpoint.data(), bound.data(), bound.size());
  return endpoint.port();
}

ListeningSockets listen_on_tcp(tcp::endpoint endpoint, const ListenerOptions& options,
                               const std::vector<Executor>& threads) {
  check_that_port_is_free(threads.front(), endpoint);
  ListeningSockets sockets;
  for (const Executor& executor : threads) {
    sockets.acceptors.push_back(listen_at(executor, endpoint, options));
    sockets.port = port_of(sockets.acceptors.front());
    endpoint.port(sockets.port);
  }
  return sockets;
}

ListeningSockets listen_on_tcp(const ListenerOptions& options,
                               const std::vector<Executor>& threads) {
  const tcp::endpoint endpoint = resolve(options);
  try {
    return listen_on_tcp(endpoint, options, threads);
  } catch (const boost::system::system_error& error) {
    const bool any_v6 = endpoint.address() == asio::ip::address_v6::any();
    if (!any_v6 || error.code() != asio::error::address_family_not_supported) throw;
    return listen_on_tcp(tcp::endpoint(tcp::v4(), endpoint.port()), options, threads);
  }
}

// ---- Unix sockets ------------------------------------------------------------------------------

/// A server that was killed leaves its file behind; nobody answers there any more.
void remove_if_abandoned(const std::string& path,
                         const asio::local::stream_protocol::endpoint& at) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  asio::io_context io;
  asio::local::stream_protocol::socket probe(io);
  error_code error;
  probe.connect(at, error);
  if (error == asio::error::connection_refused) ::unlink(path.c_str());
}

/// One queue for all threads: whoever comes first takes the connection.
Acceptor share(Acceptor& acceptor, Executor executor) {
  Acceptor copy(executor);
  const int descriptor = ::fcntl(acceptor.native_handle(), F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) throw_errno("a listening socket cannot be shared");
  copy.assign(acceptor.local_endpoint().protocol(), descriptor);
  return copy;
}

ListeningSockets listen_on_unix(const std::string& path, const ListenerOptions& options,
                                const std::vector<Executor>& threads) {
  if (path.empty()) throw std::invalid_argument("ListenerOptions.address lacks a path: \"unix:\"");
  const asio::local::stream_protocol::endpoint endpoint(path);  // throws where it is too long
  remove_if_abandoned(path, endpoint);
  Acceptor first = open(threads.front(), endpoint.protocol());
  // Before it exists, so that nobody gets in between; and behind it, because of the umask.
  const mode_t permissions = options.unix_permissions;
  if (::fchmod(first.native_handle(), permissions) != 0) throw_errno("a Unix socket");
  first.bind(endpoint);
  ListeningSockets sockets;
  sockets.file.emplace(path);
  if (::chmod(path.c_str(), permissions) != 0) throw_errno(path.c_str());
  first.listen(options.backlog);
  sockets.acceptors.push_back(std::move(first));
  while (sockets.acceptors.size() < threads.size()) {
    sockets.acceptors.push_back(
        share(sockets.acceptors.front(), threads[sockets.acceptors.size()]));
  }
  return sockets;
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) throw_errno(path_.c_str());
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile::~SocketFile() {
  struct stat status {};
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

ListeningSockets listen_on(const ListenerOptions& options, const std::vector<Executor>& threads) {
  if (!options.address.starts_with(kUnix)) return listen_on_tcp(options, threads);
  return listen_on_unix(options.address.substr(kUnix.size()), options, threads);
}

}  // namespace livetls
