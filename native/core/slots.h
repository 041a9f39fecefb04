// Where a queue's slots lie, and how a message is copied into and out of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "layout.h"
#include "ring.h"

namespace threadsafe {

// The slots of any queue. The geometry is the caller's own copy, not that in the shared memory,
// since it decides what is read and written.
struct StridedSlots {
  static constexpr bool kMaySpan = true;
  // The limit of slots that a get frees at once; 0 for none. Here a loop frees them. WebAssembly
  // may have no loop there, so it has a limit.
  static constexpr u32 kMostSlots = 0;

  StridedSlots(QueueHeader& header, const Geometry& geometry)
      : stamps(reinterpret_cast<std::byte*>(&header) + geometry.stamps),
        payloads(reinterpret_cast<std::byte*>(&header) + geometry.payloads),
        stamp_stride(geometry.stamp_stride),
        payload_stride(geometry.payload_stride),
        capacity(geometry.capacity) {}

  Atomic<u64>& stamp(u32 index) const { return *reinterpret_cast<Atomic<u64>*>(stamps + std::size_t{index} * stamp_stride); }
  std::byte* payload(u32 index) const { return payloads + std::size_t{index} * payload_stride; }

  void copy_in(const Span& span, const void* from) const { copy_in(span, 0, from, span.bytes); }

  // Copies a part of the message, which begins at its byte `at`.
  void copy_in(const Span& span, std::size_t at, const void* from, std::size_t bytes) const {
    const std::size_t first = before_end(span, at, bytes);
    std::memcpy(payload(span.index) + at, from, first);
    if (first < bytes) std::memcpy(payloads + (at + first - first_part(span)), static_cast<const std::byte*>(from) + first, bytes - first);
  }

  // For a peek, whose source may be overwritten meanwhile. If it was, the peek discards the copy.
#ifdef __GNUC__
  __attribute__((no_sanitize("thread")))
#endif
  void
  copy_out_unclaimed(const Span& span, std::size_t at, void* to, std::size_t bytes) const {
    const std::size_t first = first_part(span);
    for (std::size_t k = 0; k < bytes; k++) {
      const std::byte* const from = at + k < first ? payload(span.index) + at + k : payloads + (at + k - first);
      static_cast<std::byte*>(to)[k] = *static_cast<const volatile std::byte*>(from);
    }
  }

  void copy_out(const Span& span, void* to) const { copy_out(span, 0, to, span.bytes); }

  void copy_out(const Span& span, std::size_t at, void* to, std::size_t bytes) const {
    const std::size_t first = before_end(span, at, bytes);
    std::memcpy(to, payload(span.index) + at, first);
    if (first < bytes) std::memcpy(static_cast<std::byte*>(to) + first, payloads + (at + first - first_part(span)), bytes - first);
  }

  std::byte* stamps;
  std::byte* payloads;
  std::size_t stamp_stride;
  std::size_t payload_stride;
  u32 capacity;

 private:
  // The bytes that lie before the end of the ring. A message of one slot always lies there as a
  // whole; one that spans has its payloads side by side.
  std::size_t first_part(const Span& span) const {
    if (span.slots == 1) return span.bytes;
    return std::min(std::size_t{span.bytes}, (capacity - span.index) * payload_stride);
  }

  // How many of those `bytes` lie before the end of the ring.
  std::size_t before_end(const Span& span, std::size_t at, std::size_t bytes) const {
    const std::size_t first = first_part(span);
    return at < first ? std::min(bytes, first - at) : 0;
  }
};

// The slots of any queue, in WebAssembly. The code is straight, as V8 may end a thread at each loop
// and each call. Both ends of a copy are aligned to 8 bytes and have room for whole words.
struct StraightSlots : StridedSlots {
  static constexpr u32 kMostSlots = 4;

  using StridedSlots::copy_in;
  using StridedSlots::copy_out;
  using StridedSlots::StridedSlots;

  void copy_in(const Span& span, const std::byte* from) const {
    if (fits_in_words(span)) return copy_words<kMostWords>(payload(span.index), from, span.bytes);
    StridedSlots::copy_in(span, from);
  }

  void copy_out(const Span& span, std::byte* to) const {
    if (fits_in_words(span)) return copy_words<kMostWords>(to, payload(span.index), span.bytes);
    StridedSlots::copy_out(span, to);
  }

 private:
  // Up to this many words, straight code is faster than a call that copies memory.
  static constexpr u32 kMostWords = 8;

  static bool fits_in_words(const Span& span) { return span.slots == 1 && span.bytes <= kMostWords * sizeof(u64); }

  template <u32 kWords>
  static void copy_words(std::byte* to, const std::byte* from, u32 bytes) {
    if constexpr (kWords > 0) {
      if (bytes == 0) return;
      std::memcpy(to, from, sizeof(u64));
      copy_words<kWords - 1>(to + sizeof(u64), from + sizeof(u64), bytes > sizeof(u64) ? bytes - sizeof(u64) : 0);
    }
  }
};

// The slots of a queue of 8-byte cells, whose geometry is a constant.
struct CellSlots {
  static constexpr bool kMaySpan = false;
  static constexpr u32 kMostSlots = 1;

  explicit CellSlots(QueueHeader& header) : cells(reinterpret_cast<std::byte*>(&header) + sizeof(QueueHeader)) {}

  Atomic<u64>& stamp(u32 index) const { return *reinterpret_cast<Atomic<u64>*>(cells + std::size_t{index} * kCellStride); }

  template <class T>
  T& value(u32 index) const {
    return *reinterpret_cast<T*>(cells + std::size_t{index} * kCellStride + kStampBytes);
  }

  std::byte* cells;
};

}  // namespace threadsafe
