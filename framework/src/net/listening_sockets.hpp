#pragma once

#include <sys/types.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "livetls/async/task.hpp"
#include "livetls/net/listener.hpp"

namespace livetls {

using Acceptor =
    boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol, Executor>;

/// The file that a Unix socket is bound to; removed in the end, unless another has taken its place.
class SocketFile {
 public:
  explicit SocketFile(std::string path);
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

 private:
  std::string path_;  // empty: not ours any more
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Where a server listens, and for each of its threads a socket to accept from.
struct ListeningSockets {
  std::vector<Acceptor> acceptors;
  std::uint16_t port = 0;
  std::optional<SocketFile> file;
};

/// Throws std::invalid_argument where the address is none, and boost::system::system_error where it
/// cannot be listened on.
ListeningSockets listen_on(const ListenerOptions& options, const std::vector<Executor>& threads);

}  // namespace livetls
