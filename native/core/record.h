// The record: bytes that any context writes and reads as a whole. Nobody waits for a writer, since
// a signal handler may have interrupted it. A message (lib/shared/message.ts) is a record with a
// bit that says whether it is set.
//
// It is copy on write over up to 64 buffers. One is current. A writer claims another that is free,
// fills it, makes it current, and gives back the one before.
//
//     current  | version : 57 | set : 1 | index : 6 |
//     free     a bit for each buffer
//     buffer   stamp | length | content ...            stamp: `current` as it was made with this buffer, without the set bit; or kNoStamp
//
//     word     changed by
//     current  whoever publishes (all of it, the version by one); clear(), which drops the set bit
//     free     whoever claims a buffer (its bit off) and gives it back (on)
//     stamp    whoever has claimed the buffer
//
//     read     w = current; copy the buffer of w; good if its stamp is that of w, else again
//     write    w = current; claim a buffer; stamp = kNoStamp; fill it, from the buffer of w where it is merged, else w = current once
//              more; stamp = that of the next version; exchange current from w to it. Done: give back the buffer of w, wake. Failed:
//              give back the new one, again from the beginning.
//
// Why a read is whole. The content's words are stored with release and loaded with acquire. A
// reader that sees a word of a writer which has claimed the buffer again also sees that the stamp
// is not that of w any more. No later stamp can be that of w: it is made with the version after one
// that was current when its writer had the buffer already, and versions do not repeat. A writer that
// began before is late: somebody else may have published that version in this very buffer. So it
// leaves no stamp, as its exchange fails.
//
// Why no merge is lost. The exchange succeeds only if nothing was published since w was loaded. A
// writer may copy nonsense from a buffer that was claimed again meanwhile. But `current` changed
// before that claim, so the writer's exchange fails.
//
// Who owns a buffer. A claim turns a bit off (acquire), a give-back turns it on (release). So the
// uses by one owner, a merge's reads included, happen before those by the next. Only the writer
// whose exchange replaces a buffer gives it back. A handler that interrupts a writer claims another
// buffer. If it strikes before that writer's exchange, it publishes its own content, and the writer
// merges again. If it strikes after, it merges on top, with one buffer less to choose from.
//
// Readers and writers are lock-free. A reader repeats only if its buffer was claimed again. As
// claims go round, that takes one write less than there are buffers. A handler gives up after
// kMostTries.
#pragma once

#include <bit>

#include "layout.h"
#include "status.h"
#include "wait.h"

namespace threadsafe {

inline constexpr u64 kMessageSet = u64{1} << kIndexBits;
inline constexpr u64 kOneVersion = kMessageSet << 1;
inline constexpr u64 kNoStamp = ~u64{0};  // of a version that is never reached
inline constexpr u32 kMostTries = 256;    // of a handler

constexpr u32 index_in(u64 word) { return static_cast<u32>(word % kMostBuffers); }
constexpr u64 version_in(u64 word) { return word / kOneVersion; }
constexpr u64 stamp_of(u64 word) { return word & ~kMessageSet; }

// Buffers: count, stamp(index), and what the functions that copy need.
template <class Buffers, class Wake>
class Snapshot {
 public:
  Snapshot(SnapshotHeader& header, const Buffers& buffers, Wake wake) : header_(header), buffers_(buffers), wake_(wake) {}

  // Sequentially consistent: this is the try of wait.h.
  u64 word() const { return header_.current.load(memory_order_seq_cst); }

  // Makes one try of a read: copy(index) copies the content of that buffer, which counts if the
  // result is ok. Returns busy if the buffer was claimed again meanwhile, and damaged if the memory
  // holds what no record can. [signal-safe]
  template <class Copy>
  Status try_read(u64& word, Copy&& copy) const {
    // Acquire, pairs with the exchange: the buffer is filled.
    word = header_.current.load(memory_order_acquire);
    const u32 index = index_in(word);
    if (index >= buffers_.count) return Status::damaged;
    copy(index);
    // Acquire, pairs with the store of kNoStamp after a claim: whoever sees that sees that
    // `current` has changed.
    if (buffers_.stamp(index).load(memory_order_acquire) == stamp_of(word)) return Status::ok;
    if (stamp_of(header_.current.load(memory_order_relaxed)) == stamp_of(word)) return Status::damaged;
    header_.retries.fetch_add(1, memory_order_relaxed);  // a count, which orders nothing
    return Status::busy;
  }

  // Makes one try of a write: publishes the buffer that fill(index) fills, as the version after
  // `word`, and sets `word` to it. `whole` says that the content merges nothing, so it may follow
  // any other version as well. Straight code if fill() is: no thread that runs WebAssembly ends in
  // between. [signal-safe]
  template <class Fill>
  Status try_write(u64& word, bool set, Fill&& fill, bool whole = false) {
    if (index_in(word) >= buffers_.count) return Status::damaged;
    const u32 index = claim(index_in(word));
    if (index == kNone) return Status::busy;
    // Relaxed, as the claim acquires what was published before the buffer was given back.
    const bool late = !whole && header_.current.load(memory_order_relaxed) != word;
    // Release, pairs with the reader's load of the stamp: a reader that sees this sees that
    // `current` has changed.
    buffers_.stamp(index).store(kNoStamp, memory_order_release);
    fill(index);
    if (whole) word = begin();
    const u32 old = index_in(word);
    if (old >= buffers_.count) {
      give_back(index);
      return Status::damaged;
    }
    const u64 next = (version_in(word) + 1) * kOneVersion + (set ? kMessageSet : 0) + index;
    // The exchange makes it known; release as the words.
    store_release_before(buffers_.stamp(index), late ? kNoStamp : stamp_of(next));
    // Sequentially consistent: the change of wait.h. As a release it publishes the buffer.
    if (!header_.current.compare_exchange_weak(word, next, memory_order_seq_cst, memory_order_relaxed)) {
      give_back(index);
      return Status::busy;
    }
    word = next;
    give_back(old);
    if (someone_waits(header_.changed)) wake_.all(header_.changed);
    return Status::ok;
  }

  // Loads the word that try_write() begins with. Acquire: the buffer is filled.
  u64 begin() const { return header_.current.load(memory_order_acquire); }

  // Clears the set bit. The content and the version stay. Sequentially consistent, so that sets and
  // clears by different threads have one order. [signal-safe]
  void clear() { header_.current.fetch_and(~kMessageSet, memory_order_seq_cst); }

  // Blocks until there is a later version than `since`: ok, timeout or interrupted. Event::wait()
  // says what it looks at before it sleeps.
  template <class Parker>
  Status wait(Parker& parker, u64 since) {
    const auto not_yet = [&] { return version_in(word()) <= since; };
    return threadsafe::wait(
        header_.changed, parker, [&] { return not_yet() ? Status::empty : Status::ok; },
        [&] { return permits(header_.changed) == 0 && not_yet(); }, [] {});
  }

 private:
  static constexpr u32 kNone = ~u32{0};

  // Claims the first free buffer after that one. Returns kNone if there is none, or if another was
  // quicker. It makes one try, without a loop.
  u32 claim(u32 after) {
    const u64 all = ~u64{0} >> (kMostBuffers - buffers_.count);
    u64 free = header_.free.load(memory_order_relaxed) & all;  // a guess, checked by taking the bit
    // A load may be late; a read-modify-write is not.
    if (free == 0) free = header_.free.fetch_or(0, memory_order_relaxed) & all;
    if (free == 0) return kNone;
    const u64 behind = free & (~u64{1} << after);
    const auto index = static_cast<u32>(std::countr_zero(behind != 0 ? behind : free));
    const u64 bit = u64{1} << index;
    // Acquire: after its last owner's uses.
    return header_.free.fetch_and(~bit, memory_order_acquire) & bit ? index : kNone;
  }

  // Release: before its next owner's uses.
  void give_back(u32 index) { header_.free.fetch_or(u64{1} << index, memory_order_release); }

  SnapshotHeader& header_;
  const Buffers buffers_;
  Wake wake_;
};

// Repeats try_now() until it is not busy, or the caller's patience has ended.
template <class TryNow, class Patience>
Status until_not_busy(TryNow&& try_now, Patience&& patience) {
  Status status;
  do {
    status = try_now();
  } while (status == Status::busy && patience());
  return status;
}

// The patience of a handler, which may have interrupted the code it would wait for.
class HandlerPatience {
 public:
  bool operator()() { return ++tries_ < kMostTries; }

 private:
  u32 tries_ = 0;
};

}  // namespace threadsafe
