// Waiting in WebAssembly: a blocking call of this thread waits a moment before it goes to the
// addon, which parks it. A call of the addon costs as much as some ten puts.
//
// Looking often for an item that a producer is about to put takes the slots' cache lines away from
// that producer. Both sides then crawl along at the same slot, which was 20 to 40 % slower than
// staying apart. So a waiter pauses, twice as long after each look. If that brings several items at
// once, somebody is streaming, and the next waits begin with a long pause, in which some dozens
// come together. An item that is passed back and forth never brings more than one, and is looked
// for at once, except in one wait of sixty-four, which finds out whether that has changed.
#pragma once

#include "../core/layout.h"

namespace threadsafe {

// Pauses in rounds of idle(), each of some 2 ns.
inline constexpr u32 kLongestPause = 128;
inline constexpr u32 kLooks = 16;  // 2.5 us in all; the addon then spins on for a moment, and parks
inline constexpr u32 kStreamingPause = 3000;
inline constexpr u32 kStreamingPausePerSlot = 8;  // in a short queue the others would have to wait for the one who pauses
inline constexpr u32 kManyItems = 4;
inline constexpr u32 kProbeInterval = 64;

// Pauses. WebAssembly has no instruction for that, and engines remove loops without an effect.
// `seed` is the result of the last call.
inline u32 idle(u32 rounds, u32 seed) {
  for (u32 k = 0; k < rounds; k++) {
    seed = seed * 1664525 + 1013904223;
    __asm__ volatile("" : "+r"(seed));
  }
  return seed;
}

}  // namespace threadsafe
