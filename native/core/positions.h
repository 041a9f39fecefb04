// Positions in the ring, and the words that hold them. ring.h has their layout.
#pragma once

#include "layout.h"

namespace threadsafe {

inline constexpr u32 kHeld = u32{1} << 31;  // by whoever is evicting
inline constexpr u32 kClosed = u32{1} << 30;
inline constexpr u32 kPositionMask = kClosed - 1;

constexpr u32 low(u64 word) { return static_cast<u32>(word); }
constexpr u32 high(u64 word) { return static_cast<u32>(word >> 32); }
constexpr u64 pack(u32 high, u32 low) { return u64{high} << 32 | low; }

// Returns the number of items that were put (got), mod 2^32, of the tail (head).
inline u32 items_in(const Atomic<u64>& word) { return high(word.load(memory_order_seq_cst)); }

// The arithmetic of positions for one capacity.
struct Positions {
  u32 capacity;
  u32 index_bits;

  u32 lap_unit() const { return u32{1} << index_bits; }
  // Below the capacity, whatever the position: it is read from memory that JavaScript may have
  // written over.
  u32 index(u32 position) const {
    const u32 index = position & (lap_unit() - 1);
    return index < capacity ? index : 0;
  }
  u32 free_sequence(u32 position) const { return (position >> index_bits) * 2; }
  u32 full_sequence(u32 position) const { return free_sequence(position) + 1; }
  u32 next_free_sequence(u32 position) const { return free_sequence((position + lap_unit()) & kPositionMask); }

  // k is at most the capacity, so that one lap is passed at most.
  u32 advance(u32 position, u32 k) const {
    const u32 at = index(position) + k;
    if (at < capacity) return position + k;
    const u32 next_lap = position - index(position) + lap_unit();
    return (next_lap + (at - capacity)) & kPositionMask;
  }

  // The number of slots between a head and a tail: at most the capacity, so they are in the same
  // lap or in two that follow each other.
  u32 between(u32 head, u32 tail) const {
    const u32 lap = head >> index_bits == tail >> index_bits ? 0 : capacity;
    return lap + index(tail) - index(head);
  }
};

// The slots that a claim owns: k of them from `index` on, around the end of the ring if need be,
// and a message of `bytes`.
struct Span {
  u32 index;
  u32 slots;
  u32 bytes;
};

}  // namespace threadsafe
