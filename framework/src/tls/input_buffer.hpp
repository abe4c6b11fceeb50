#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace livetls {

/// Bytes read ahead from the transport: appended at the end, taken from the front. Holds one full
/// TLS record, and grows where a message spans several before it can be looked at.
class InputBuffer {
 public:
  /// Room for at least one byte at the end.
  boost::asio::mutable_buffer space() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == capacity_) make_room();
    return {bytes_.get() + end_, capacity_ - end_};
  }

  void commit(std::size_t count) { end_ += count; }

  std::span<const std::uint8_t> bytes() const { return {bytes_.get() + begin_, end_ - begin_}; }

  std::size_t take(void* into, std::size_t size) {
    const std::size_t count = std::min(size, end_ - begin_);
    if (count != 0) std::memcpy(into, bytes_.get() + begin_, count);
    begin_ += count;
    return count;
  }

 private:
  static constexpr std::size_t kInitialBytes = 17 * 1024;

  void make_room() {
    const std::size_t size = end_ - begin_;
    if (begin_ == 0) {
      const std::size_t capacity = capacity_ == 0 ? kInitialBytes : 2 * capacity_;
      auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
      if (size != 0) std::memcpy(bytes.get(), bytes_.get(), size);
      bytes_ = std::move(bytes);
      capacity_ = capacity;
    } else {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size);
    }
    begin_ = 0;
    end_ = size;
  }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace livetls
