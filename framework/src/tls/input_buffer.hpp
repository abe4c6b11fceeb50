#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace livetls {

/// Bytes read ahead from the transport: appended at the end, taken from the front. Small while the
/// peer sends little, since most connections wait most of the time; with room for a full TLS record
/// once it sends more, and larger where a message spans several before it can be looked at.
class InputBuffer {
 public:
  /// Room for at least one byte at the end.
  boost::asio::mutable_buffer space() {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      if (more_is_coming_ && capacity_ < kRecordBytes) {
        reset(kRecordBytes);
      } else if (small_arrivals_ >= kFewBytesAreComing && capacity_ > kSmallBytes) {
        reset(kSmallBytes);
      }
    }
    if (end_ == capacity_) make_room();
    return {bytes_.get() + end_, capacity_ - end_};
  }

  void commit(std::size_t count) {
    end_ += count;
    more_is_coming_ = end_ == capacity_;
    small_arrivals_ = count < kSmallBytes ? small_arrivals_ + 1 : 0;
  }

  /// After a handshake, whose messages may have been long.
  void expect_little() {
    more_is_coming_ = false;
    small_arrivals_ = kFewBytesAreComing;
  }

  std::span<const std::uint8_t> bytes() const { return {bytes_.get() + begin_, end_ - begin_}; }

  std::size_t take(void* into, std::size_t size) {
    const std::size_t count = std::min(size, end_ - begin_);
    if (count != 0) std::memcpy(into, bytes_.get() + begin_, count);
    begin_ += count;
    return count;
  }

 private:
  static constexpr std::size_t kSmallBytes = 1024;
  static constexpr std::size_t kRecordBytes = 17 * 1024;
  static constexpr unsigned kFewBytesAreComing = 4;

  void reset(std::size_t capacity) {
    bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    capacity_ = capacity;
  }

  void make_room() {
    const std::size_t size = end_ - begin_;
    if (begin_ == 0) {
      const std::size_t capacity =
          capacity_ == 0 ? kSmallBytes : std::max(kRecordBytes, 2 * capacity_);
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
  bool more_is_coming_ = false;  // the last arrival took all the room there was
  unsigned small_arrivals_ = 0;  // since the last large one
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace livetls
