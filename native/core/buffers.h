// The places of the buffers of a record or a message, and copies into and out of them. These go by
// words, since others may read and write the same ones (record.h says who).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "layout.h"

namespace threadsafe {

// The words of the buffers in a record's memory. The geometry is the caller's own copy, not the one
// in shared memory, as it decides what is read and written.
class MemoryWords {
 public:
  MemoryWords(SnapshotHeader& header, const SnapshotGeometry& geometry)
      : stride_(geometry.stride), first_(reinterpret_cast<std::byte*>(&header) + geometry.buffers) {}

  Atomic<u64>& word(u32 index, u32 k) const {
    return *reinterpret_cast<Atomic<u64>*>(first_ + std::size_t{index} * stride_ + std::size_t{k} * sizeof(u64));
  }

 private:
  std::size_t stride_;
  std::byte* first_;
};

template <class Words>
class WordBuffers {
 public:
  WordBuffers(u32 buffers, u32 content_bytes, const Words& words) : count(buffers), bytes(content_bytes), words_(words) {}

  Atomic<u64>& stamp(u32 index) const { return words_.word(index, 0); }

  // Returns the buffer's length. It may be read while it is written, so it is bounded: one more
  // than the longest stands for any that is too long.
  u32 length(u32 index) const { return static_cast<u32>(std::min(words_.word(index, 1).load(memory_order_acquire), u64{bytes} + 1)); }
  void set_length(u32 index, u32 length) const { words_.word(index, 1).store(length, memory_order_release); }

  // Copies `length` bytes of the content, from byte `at` on.
  void read(u32 index, u32 at, void* to, u32 length) const {
    each_word(index, at, length, [to = static_cast<std::byte*>(to)](Atomic<u64>& word, u32 skip, u32 n) mutable {
      // Acquire: the reader's load of the stamp comes after it. See record.h.
      const u64 value = word.load(memory_order_acquire);
      std::memcpy(to, reinterpret_cast<const std::byte*>(&value) + skip, n);
      to += n;
    });
  }

  // Writes to a buffer that the caller has claimed.
  void write(u32 index, u32 at, const void* from, u32 length) const {
    each_word(index, at, length, [from = static_cast<const std::byte*>(from)](Atomic<u64>& word, u32 skip, u32 n) mutable {
      u64 value = n == kWord ? 0 : word.load(memory_order_relaxed);  // its own
      std::memcpy(reinterpret_cast<std::byte*>(&value) + skip, from, n);
      // Release: whoever sees this word sees that the stamp is gone. See record.h.
      word.store(value, memory_order_release);
      from += n;
    });
  }

  // Copies the whole content of another buffer, with its length.
  void copy(u32 from, u32 to) const {
    const u32 words = 1 + round_up(bytes, kWord) / kWord;
    // Acquire and release as above.
    for (u32 k = 1; k <= words; k++) words_.word(to, k).store(words_.word(from, k).load(memory_order_acquire), memory_order_release);
  }

  const u32 count;
  const u32 bytes;

 private:
  static constexpr u32 kWord = sizeof(u64);

  // Calls visit(word, bytes to skip in it, bytes to use of it). Whole words have code of their own.
  template <class Visit>
  void each_word(u32 index, u32 at, u32 length, Visit&& visit) const {
    u32 k = (kStampBytes + kLengthBytes + at) / kWord;
    if (const u32 skip = at % kWord; skip != 0 && length > 0) {
      const u32 n = std::min(kWord - skip, length);
      visit(words_.word(index, k++), skip, n);
      length -= n;
    }
    for (; length >= kWord; length -= kWord) visit(words_.word(index, k++), 0, kWord);
    if (length > 0) visit(words_.word(index, k), 0, length);
  }

  const Words words_;
};

// The buffers in that record's memory.
using Buffers = WordBuffers<MemoryWords>;

inline Buffers buffers_in(SnapshotHeader& header, const SnapshotGeometry& geometry) {
  return {geometry.count, geometry.bytes, MemoryWords(header, geometry)};
}

}  // namespace threadsafe
