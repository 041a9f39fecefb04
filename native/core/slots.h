// Where a queue's slots lie, and how a message is copied into and out of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "layout.h"
#include "ring.h"

namespace threadsafe {

// Any queue. The geometry is the caller's own, not that in the shared memory: it decides what is read and written.
struct StridedSlots {
  static constexpr bool kMaySpan = true;

  StridedSlots(QueueHeader& header, const Geometry& geometry)
      : stamps(reinterpret_cast<std::byte*>(&header) + geometry.stamps),
        payloads(reinterpret_cast<std::byte*>(&header) + geometry.payloads),
        stamp_stride(geometry.stamp_stride),
        payload_stride(geometry.payload_stride),
        capacity(geometry.capacity) {}

  Atomic<u64>& stamp(u32 index) const { return *reinterpret_cast<Atomic<u64>*>(stamps + std::size_t{index} * stamp_stride); }
  std::byte* payload(u32 index) const { return payloads + std::size_t{index} * payload_stride; }

  void copy_in(const Span& span, const void* from) const {
    const std::size_t first = first_part(span);
    std::memcpy(payload(span.index), from, first);
    if (first < span.bytes) std::memcpy(payloads, static_cast<const std::byte*>(from) + first, span.bytes - first);
  }

  // For a peek, whose source may be overwritten meanwhile: it throws away what it got then.
#ifdef __GNUC__
  __attribute__((no_sanitize("thread")))
#endif
  void
  copy_out_unclaimed(const Span& span, void* to) const {
    const std::size_t first = first_part(span);
    for (std::size_t k = 0; k < span.bytes; k++) {
      const std::byte* const from = k < first ? payload(span.index) + k : payloads + (k - first);
      static_cast<std::byte*>(to)[k] = *static_cast<const volatile std::byte*>(from);
    }
  }

  void copy_out(const Span& span, void* to) const {
    const std::size_t first = first_part(span);
    std::memcpy(to, payload(span.index), first);
    if (first < span.bytes) std::memcpy(static_cast<std::byte*>(to) + first, payloads, span.bytes - first);
  }

  std::byte* stamps;
  std::byte* payloads;
  std::size_t stamp_stride;
  std::size_t payload_stride;
  u32 capacity;

 private:
  // What lies before the end of the ring. A message of one slot always does; one that spans has its payloads side by side.
  std::size_t first_part(const Span& span) const {
    if (span.slots == 1) return span.bytes;
    return std::min(std::size_t{span.bytes}, (capacity - span.index) * payload_stride);
  }
};

// A queue of 8-byte elements, whose geometry is a constant.
struct CellSlots {
  static constexpr bool kMaySpan = false;

  explicit CellSlots(QueueHeader& header) : cells(reinterpret_cast<std::byte*>(&header) + sizeof(QueueHeader)) {}

  Atomic<u64>& stamp(u32 index) const { return *reinterpret_cast<Atomic<u64>*>(cells + std::size_t{index} * kCellStride); }

  template <class T>
  T& value(u32 index) const {
    return *reinterpret_cast<T*>(cells + std::size_t{index} * kCellStride + kStampBytes);
  }

  std::byte* cells;
};

}  // namespace threadsafe
