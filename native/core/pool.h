// A pool of buffers that are lent, passed on and given back, without copying.
//
//     maps     a word for 32 buffers  | returns : 32 | lent : 32 |
//     words    one for each buffer, on a line of its own  | generation : 32 | passed : 1 | owner : 31 |
//     buffers  one after the other, each at a multiple of kLine
//
// A buffer is free when its bit in the map is 0. Whoever sets the bit has the buffer, and writes
// that to its word: lent to the thread `owner`, or passed on, when no thread owns it. The bit is
// set first and the word stored next, by straight code. WebAssembly is not stopped in between, so
// no buffer is lost. When a thread ends, the buffers whose words name it are given back.
//
// Each lending and each passing makes a new generation of the buffer. A lease is named by its
// buffer's index and the low bits of its generation, in 32 bits; so is a buffer that was passed on.
// A name is invalid once its lease has ended, until the bits come round. With n buffers that takes
// 2^32 / n generations of that buffer, at least 65,536.
//
// "None is free" is exact. A map counts its returns beside the bits, in the same word. If two looks
// find all maps full and the same sum of these counts, no map has changed from the first look to
// the second. So all maps were full at one moment between the two. With a single map one look is
// enough. A caller that may not wait takes two looks that differ as "none".
//
// Why no wake is lost. A return changes the map, then looks at the list; a waiter announces itself,
// then looks at the maps: all sequentially consistent, as wait.h wants it. Any waiter can use any
// buffer, so one is woken for each return, and whoever leaves looks once more.
#pragma once

#include <bit>

#include "layout.h"
#include "ring.h"
#include "status.h"
#include "wait.h"

namespace threadsafe {

inline constexpr u32 kPassed = u32{1} << 31;

struct PoolStats {
  u32 free;
  u32 lent;
  u32 passed;
};

// The words of a pool in shared memory. A model has others.
struct PoolMemory {
  PoolMemory(PoolHeader& header, const PoolGeometry& geometry)
      : maps_(reinterpret_cast<std::byte*>(&header) + geometry.maps), words_(reinterpret_cast<std::byte*>(&header) + geometry.words) {}

  Atomic<u64>& map(u32 number) const { return *reinterpret_cast<Atomic<u64>*>(maps_ + number * sizeof(u64)); }
  Atomic<u64>& word(u32 buffer) const { return *reinterpret_cast<Atomic<u64>*>(words_ + buffer * kLine); }

 private:
  std::byte* const maps_;
  std::byte* const words_;
};

// Wake: one(list), called when someone waits there. The geometry must outlive the pool.
template <class Words, class Wake>
class Pool {
 public:
  Pool(PoolHeader& header, const PoolGeometry& geometry, Words words, Wake wake)
      : header_(header), geometry_(geometry), words_(words), wake_(wake) {}

  // Lends a buffer to that thread: ok, or empty. [signal-safe]
  Status try_lend(u32 thread, u32& lease) {
    for (;;) {
      const Status status = attempt(thread, lease);
      if (status != Status::busy) return status;
    }
  }

  // Does the same for callers that may not wait: returns empty also if buffers come and go during
  // the call. [signal-safe]
  Status try_lend_at_once(u32 thread, u32& lease) {
    const Status status = attempt(thread, lease);
    return status == Status::busy ? Status::empty : status;
  }

  // Blocks until a buffer is free, and lends it: ok, timeout or interrupted.
  template <class Parker>
  Status lend(Parker& parker, u32 thread, u32& lease) {
    return wait(
        header_.waiters, parker, [&] { return try_lend(thread, lease); }, [this] { return permits(header_.waiters) == 0; },
        [this] { pass_on(); });
  }

  // Ends the lease and passes the buffer to whoever takes `token`. Returns false if the thread has
  // no such lease. [signal-safe]
  bool pass(u32 thread, u32 lease, u32& token) {
    const u32 buffer = index_of(lease);
    if (buffer >= geometry_.count) return false;
    u64 word = words_.word(buffer).load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    u32 generation;
    do {
      if (low(word) != thread || name_of(high(word), buffer) != lease) return false;
      generation = high(word) + 1;
      // Release: whoever takes the buffer sees what was written to it.
    } while (!words_.word(buffer).compare_exchange_weak(word, pack(generation, kPassed), memory_order_release, memory_order_relaxed));
    token = name_of(generation, buffer);
    return true;
  }

  // Makes a lease of that thread, of the same name. Returns false if the buffer is not passed on
  // any more. [signal-safe]
  bool take(u32 thread, u32 token) {
    const u32 buffer = index_of(token);
    if (buffer >= geometry_.count) return false;
    u64 word = words_.word(buffer).load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    do {
      if (low(word) != kPassed || name_of(high(word), buffer) != token) return false;
      // Acquire: see pass().
    } while (!words_.word(buffer).compare_exchange_weak(word, pack(high(word), thread), memory_order_acquire, memory_order_relaxed));
    return true;
  }

  // Gives the buffer back. Returns false if the thread has no such lease. [signal-safe]
  bool release(u32 thread, u32 lease) {
    const u32 buffer = index_of(lease);
    if (buffer >= geometry_.count) return false;
    u64 word = words_.word(buffer).load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    do {
      if (low(word) != thread || name_of(high(word), buffer) != lease) return false;
      // Relaxed: the map orders this for whoever comes next.
    } while (!words_.word(buffer).compare_exchange_weak(word, pack(high(word), 0), memory_order_relaxed, memory_order_relaxed));
    give_back(buffer);
    wake_next();
    return true;
  }

  // Whether that thread has a lease of that name. [signal-safe]
  bool has(u32 thread, u32 lease) const {
    const u32 buffer = index_of(lease);
    if (buffer >= geometry_.count) return false;
    const u64 word = words_.word(buffer).load(memory_order_relaxed);  // its own thread's word, which nobody else changes
    return low(word) == thread && name_of(high(word), buffer) == lease;
  }

  u32 index_of(u32 name) const { return name & mask(); }

  // Whether a lending would find a free buffer. Sequentially consistent: the try of wait.h.
  bool has_free() const {
    for (u32 map = 0; map < maps(); map++) {
      if (free_in(words_.map(map).load(memory_order_seq_cst), map) != 0) return true;
    }
    return false;
  }

  void wake_next() {
    if (someone_waits(header_.waiters)) wake_.one(header_.waiters);
  }

  // A waiter that leaves looks once more on behalf of the others.
  void pass_on() {
    if (someone_waits(header_.waiters) && has_free()) wake_.one(header_.waiters);
  }

  void withdraw(u32 loop) {
    withdraw_loop(header_.waiters, loop, [this] { pass_on(); });
  }

  // Called when that thread has ended: its leases end with it, and it may have owed a wake.
  void abandon(u32 thread) {
    for (u32 buffer = 0; buffer < geometry_.count; buffer++) {
      const u64 word = words_.word(buffer).load(memory_order_relaxed);  // its own thread's word, which nobody else changes
      if (low(word) == thread) release(thread, name_of(high(word), buffer));
    }
    pass_on();
  }

  // Right only while nobody else lends and returns.
  PoolStats stats() const {
    PoolStats stats{geometry_.count, 0, 0};
    for (u32 buffer = 0; buffer < geometry_.count; buffer++) {
      const u32 owner = low(words_.word(buffer).load(memory_order_relaxed));  // counts, which order nothing
      if (owner == kPassed) {
        stats.passed++;
      } else if (owner != 0) {
        stats.lent++;
      }
    }
    stats.free -= stats.lent + stats.passed;
    return stats;
  }

 private:
  u32 maps() const { return pool_maps(geometry_.count); }
  u32 mask() const { return (u32{1} << geometry_.index_bits) - 1; }
  u32 name_of(u32 generation, u32 buffer) const { return generation << geometry_.index_bits | buffer; }

  // The free ones of a map's buffers, a bit for each. Bits of buffers that there are not say
  // nothing: somebody may have written over the map.
  u32 free_in(u64 bits, u32 map) const {
    const u32 left = geometry_.count - map * kBuffersPerMap;
    return ~low(bits) & ~u32{0} >> (32 - (left < kBuffersPerMap ? left : kBuffersPerMap));
  }

  // Returns ok, empty, or busy: buffers have come and gone meanwhile, and the caller tries again.
  Status attempt(u32 thread, u32& lease) {
    u32 returns;
    if (look(thread, lease, returns)) return Status::ok;
    if (maps() == 1) return Status::empty;
    u32 later;
    if (look(thread, lease, later)) return Status::ok;
    return later == returns ? Status::empty : Status::busy;
  }

  // Takes the first free buffer that it finds, beginning where other threads do not. If there is
  // none, `returns` is the sum of the maps' returns.
  bool look(u32 thread, u32& lease, u32& returns) {
    returns = 0;
    const u32 count = maps();
    u32 map = thread % count;
    for (u32 k = 0; k < count; k++) {
      u64 bits = words_.map(map).load(memory_order_seq_cst);
      while (const u32 free = free_in(bits, map)) {
        const u32 bit = static_cast<u32>(std::countr_zero(free));
        // Sequentially consistent: the try of wait.h. It also comes after all that the last owner did.
        if (!words_.map(map).compare_exchange_weak(bits, bits | u64{1} << bit, memory_order_seq_cst, memory_order_seq_cst)) continue;
        const u32 buffer = map * kBuffersPerMap + bit;
        const u32 generation = high(words_.word(buffer).load(memory_order_relaxed)) + 1;  // nobody else's, as the bit is this thread's
        // Others read this word for statistics, and this thread's end to find what it owns.
        words_.word(buffer).store(pack(generation, thread), memory_order_release);
        lease = name_of(generation, buffer);
        return true;
      }
      returns += high(bits);
      if (++map == count) map = 0;
    }
    return false;
  }

  // Sequentially consistent: the change of wait.h. All that the owner did comes before it.
  void give_back(u32 buffer) {
    Atomic<u64>& map = words_.map(buffer / kBuffersPerMap);
    // One step does both: the count of returns carries into nothing, and the bit is set.
    map.fetch_add((u64{1} << 32) - (u64{1} << buffer % kBuffersPerMap), memory_order_seq_cst);
  }

  PoolHeader& header_;
  const PoolGeometry& geometry_;
  Words words_;
  Wake wake_;
};

}  // namespace threadsafe
