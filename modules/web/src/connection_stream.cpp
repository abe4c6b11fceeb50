#include "connection_stream.hpp"

#include <algorithm>
#include <cstring>

namespace livetls::web {

constexpr std::size_t kWritePiece = 256 * 1024;

Task<Result<std::size_t>> ConnectionStream::read(boost::asio::mutable_buffer into) {
  if (!early_.empty()) {
    const std::size_t bytes = std::min(into.size(), early_.size());
    std::memcpy(into.data(), early_.data(), bytes);
    early_.erase(0, bytes);
    co_return bytes;
  }
  const Result<std::size_t> bytes = co_await connection_.read_some(into);
  heard_at_ = Clock::now();
  if (!bytes) co_return bytes.error();
  if (*bytes == 0) co_return Error(boost::asio::error::eof);
  co_return *bytes;
}

Task<Result<std::size_t>> ConnectionStream::write(std::vector<boost::asio::const_buffer> pieces) {
  std::size_t room = kWritePiece;
  for (boost::asio::const_buffer& piece : pieces) {
    piece = boost::asio::buffer(piece, room);
    room -= piece.size();
  }
  connection_.deadline().expires_after(write_timeout_);
  const Result<void> written = co_await connection_.write(pieces);
  connection_.deadline().clear();
  if (!written) co_return written.error();
  co_return kWritePiece - room;
}

}  // namespace livetls::web
