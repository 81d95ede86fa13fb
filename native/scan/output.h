// Where a scan writes: a buffer of the caller's, filled in one of the output formats. Records whose own bytes are
// already right are copied in runs, not one by one.
#pragma once
#include "base/bytes.h"
#include "base/crc32c.h"
#include "format/packet.h"
#include "scan/selection.h"
#include "scan/sent_count.h"

namespace spillway {

class Output {
 public:
  enum class Put { done, full, time_range };

  // `comment`: of every interface, the caller's as long as this writes.
  void open(Format format, uint32_t snap_length, Bytes comment = {}) {
    format_ = format;
    snap_length_ = snap_length;
    comment_ = comment;
  }
  // `buffer` is the caller's, until finish().
  void begin(uint8_t* buffer, size_t capacity) {
    buffer_ = buffer;
    capacity_ = capacity;
    size_ = 0;
    checked_ = 0;
    crc_ = 0;
    run_ = {};
    needed_ = 0;
    sent_.begin(format_);
  }
  // Copies the pending run. Must be called before the bytes that packets point into move.
  void flush() {
    if (run_.size != 0) {
      std::memcpy(buffer_ + size_, run_.data, run_.size);
      size_ += run_.size;
      run_ = {};
    }
    if (size_ - checked_ >= kCheckBytes) check();
  }
  // Ends the step: everything is written and in the checksum. Returns CRC-32C of `before` followed by this buffer.
  uint32_t finish(uint32_t before) {
    flush();
    check();
    return crc32cCombine(before, crc_, size_);
  }

  // Where the next bytes go, and how many fit (after a flush): for bytes that are read straight to where they are to
  // be, of which take() keeps the first.
  uint8_t* tail() { return buffer_ + size_; }
  size_t room() const { return capacity_ - size_; }
  void take(size_t bytes) {
    size_ += bytes;
    if (size_ - checked_ >= kCheckBytes) check();
  }

  uint32_t kept(const Packet& packet) const {
    return snap_length_ != 0 && packet.caplen > snap_length_ ? snap_length_ : packet.caplen;
  }

  // `id`: the interface's number in the output. `number`: the packet's in the source, from 1.
  Put packet(const Packet& packet, uint32_t keep, const Interface& interface, uint32_t id, bool same_id,
             uint64_t number, Order order) {
    if (packet.verbatim == format_ && keep == packet.caplen && same_id && format_ != Format::none) {
      if (size_ + run_.size + packet.record.size > capacity_) return full(packet.record.size);
      if (run_.data + run_.size == packet.record.data) {
        run_.size += packet.record.size;
      } else {
        flush();
        run_ = packet.record;
      }
      return Put::done;
    }
    return shaped(packet, keep, interface, id, number, order);
  }
  // Describes an interface, where the format can.
  Put interface(const Interface& interface, Bytes options, Order order);

  size_t size() const { return size_ + run_.size; }
  // Packets that stand in the buffer; after finish().
  uint64_t sent() const { return sent_.packets(size_); }
  // Bytes that what did not fit needs.
  size_t needed() const { return needed_; }

 private:
  // Checksum and count follow the writing closely, while the bytes are still in the cache, and in pieces that are worth
  // it.
  static constexpr size_t kCheckBytes = 64u << 10;
  void check() {
    crc_ = crc32c(buffer_ + checked_, size_ - checked_, crc_);
    sent_.advance(buffer_, size_);
    checked_ = size_;
  }
  Put full(size_t needed) {
    needed_ = needed;
    return Put::full;
  }
  bool fits(size_t bytes) {
    flush();
    return size_ + bytes <= capacity_;
  }
  Put shaped(const Packet& packet, uint32_t keep, const Interface& interface, uint32_t id, uint64_t number,
             Order order);

  Format format_ = Format::none;
  uint32_t snap_length_ = 0;
  Bytes comment_;
  uint8_t* buffer_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t checked_ = 0;  // bytes that are in crc_
  uint32_t crc_ = 0;
  SentCount sent_;
  Bytes run_;  // records in the source that follow one another and are to be copied as they are
  size_t needed_ = 0;
};

}  // namespace spillway
