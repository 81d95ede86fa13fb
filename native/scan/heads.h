// The sources of a merge by the times of their heads, the packets that come next: a binary heap.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"

namespace spillway {

// A source's head. Of equal times that of the source with the smaller number comes first.
struct Head {
  Nanos time;
  uint32_t source;
  bool before(const Head& other) const { return time != other.time ? time < other.time : source < other.source; }
};

class Heads {
 public:
  // Comes after every head.
  static constexpr Head kLast{kNanosMax, UINT32_MAX};

  bool empty() const { return heap_.empty(); }
  const Head& first() const { return heap_[0]; }
  // The first of the others.
  Head second() const {
    if (heap_.size() < 2) return kLast;
    return heap_.size() == 2 || heap_[1].before(heap_[2]) ? heap_[1] : heap_[2];
  }

  void add(const Head& head) {
    size_t at = heap_.size();
    heap_.push_back(head);
    for (; at != 0 && heap_[at].before(heap_[(at - 1) / 2]); at = (at - 1) / 2)
      std::swap(heap_[at], heap_[(at - 1) / 2]);
  }
  // The source that is first has another head.
  void changeFirst(Nanos time) {
    heap_[0].time = time;
    sink();
  }
  void removeFirst() {
    heap_[0] = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink();
  }

 private:
  // Puts the first where it belongs.
  void sink() {
    const Head moved = heap_[0];
    size_t at = 0;
    for (size_t child = 1; child < heap_.size(); child = 2 * at + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
      if (!heap_[child].before(moved)) break;
      heap_[at] = heap_[child];
      at = child;
    }
    heap_[at] = moved;
  }

  std::vector<Head> heap_;
};

}  // namespace spillway
