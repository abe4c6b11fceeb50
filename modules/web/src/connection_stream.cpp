#include "connection_stream.hpp"

#include <algorithm>
#include <cstring>

namespace livetls::web {

constexpr std::size_t kWritePiece = 256 * 1024;

void ConnectionStream::read(boost::asio::mutable_buffer into, Connection::Completion done) {
  if (!early_.empty()) {
    const std::size_t bytes = std::min(into.size(), early_.size());
    std::memcpy(into.data(), early_.data(), bytes);
    early_.erase(0, bytes);
    boost::asio::post(get_executor(), [bytes, done = std::move(done)] { done({}, bytes); });
    return;
  }
  connection_.async_read_some(into, [this, done = std::move(done)](auto error, std::size_t bytes) {
    heard_at_ = Clock::now();
    done(error, bytes);
  });
}

void ConnectionStream::write(std::vector<boost::asio::const_buffer> pieces,
                             Connection::Completion done) {
  std::size_t room = kWritePiece;
  for (boost::asio::const_buffer& piece : pieces) {
    piece = boost::asio::buffer(piece, room);
    room -= piece.size();
  }
  connection_.deadline().expires_after(write_timeout_);
  connection_.async_write(std::move(pieces),
                          [this, done = std::move(done)](auto error, std::size_t bytes) {
                            connection_.deadline().clear();
                            done(error, bytes);
                          });
}

}  // namespace livetls::web
