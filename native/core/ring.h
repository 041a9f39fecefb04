// The ring: bounded, for any number of producers and consumers, lock-free. After Dmitry Vyukov's
// bounded MPMC queue (1024cores.net), with the slot sequences of rigtorp's MPMCQueue, so that any capacity N
// holds exactly N; a message may span slots.
//
// A position names one slot in one lap around the ring: position = lap << index bits | index, 30
// bits, wrapping. `tail` is the position of the next put, `head` that of the next get:
//
//     tail   | items put, mod 2^32 : 32 | held : 1 | closed : 1 | position : 30 |
//     head   | items got, mod 2^32 : 32 |        0 |          0 | position : 30 |
//
// The counts cost nothing, since they change in the same compare-exchange, and they make a stale
// compare-exchange fail for 2^32 items instead of a few laps of a large ring. A slot has one stamp:
//
//     stamp  | bytes of the message that begins here : 32 | sequence : 32 |
//
//     sequence = 2 * lap        the slot is free for that lap's put
//     sequence = 2 * lap + 1    published in that lap: a message begins here
//
//     put    checks that its k slots are free for their lap, advances tail by k, copies, publishes the first slot's stamp
//     get    reads the head slot's stamp, advances head by its k slots, copies out, frees them for the next lap
//
// No call waits for another thread, nor for the code that a signal handler has interrupted. Where
// the slot that a call needs is claimed by somebody who is still copying, it returns `busy`, and
// the caller decides: one that may wait tries again until that copy has ended, one that may not
// takes it for full or empty. `full` and `empty` are exact: at some moment of the call the
// positions said so.
//
//     full     tail was read, then head, and then tail again, unchanged: when head was read, fewer slots were free than are needed.
//              The other way round, items that were put and got between the two would count as being in the ring.
//     empty    head was read, then tail, and they were the same position: since head never passes tail, head was still there.
//
// While a producer is between claim and publish, items published behind it can't be got yet; see
// wait.h for the wake that this needs.
//
// Pushing out the oldest items and putting one in their place is one step for everybody else
// (put_evicting). Whoever does that holds the tail meanwhile, by a bit in it: no other put can
// claim slots, and a get that finds nothing left is `busy`, since the item that replaces the last
// one is on its way. The holder calls nobody and waits for nothing.
//
//     evict    holds the tail; sees that its slots are free or can be made so; advances head past the items that are in the way, at
//              once; frees their slots; advances tail and lets go of it; copies, publishes
//
// Orders. Each stamp is loaded with acquire or stronger, and stored with release or stronger: a get
// sees the payload that was put, and a put overwrites only what a get has finished reading. A batch
// of items makes one exception: of its stamps only that of its first slot is stored so, and last;
// those behind it are relaxed. Nobody comes to a slot behind the first but by way of that one: it
// was seen there by this very call, or by whoever has moved head (tail) past it. For that the
// claims (compare-exchange of tail, head) are acquire and release: what the last claimer has seen,
// the next one has. Where a stamp or `closed` decides that a caller goes to sleep, the order is
// sequentially consistent, for the argument in wait.h.
#pragma once

#include <algorithm>

#include "layout.h"
#include "positions.h"
#include "status.h"

namespace threadsafe {

// Wants any item, whatever its number.
struct Any {
  constexpr bool operator()(u32) const { return true; }
};

// Slots tells where the stamps lie: stamp(index). The payload is the caller's: write(span),
// read(span).
template <class Slots>
class Ring {
 public:
  Ring(Atomic<u64>& tail, Atomic<u64>& head, Positions positions, Slots slots)
      : tail_(tail), head_(head), positions_(positions), slots_(slots) {}

  // ok, full, closed or busy.
  template <class Write>
  Status try_put(u32 slots, u32 bytes, Write&& write) {
    u64 tail = tail_.load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    u32 position;
    for (;;) {
      position = low(tail);
      if (position & (kClosed | kHeld)) {
        const Status status = no_put_at(tail);
        if (status != Status::ok) return status;
        continue;
      }
      if (!free(position, slots)) {
        const Status status = no_room_at(tail, slots);
        if (status != Status::ok) return status;
        continue;
      }
      const u64 next = pack(high(tail) + 1, positions_.advance(position, slots));
      if (tail_.compare_exchange_weak(tail, next, memory_order_acq_rel, memory_order_relaxed)) break;
    }
    publish(position, slots, bytes, write);
    return Status::ok;
  }

  // A put that makes room for itself, if there is none, by pushing out as many of the oldest items
  // as are in the way: ok, closed, busy or damaged. `evicted` says how many went, none unless it is
  // ok. Nothing is pushed out while somebody is still copying into or out of a slot that is needed,
  // since that would not make room.
  template <class SlotsOf, class Write>
  Status put_evicting(u32 slots, u32 bytes, SlotsOf&& slots_of, u32& evicted, Write&& write) {
    evicted = 0;
    u64 tail = tail_.load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    do {
      if (low(tail) & kClosed) return Status::closed;
      if (low(tail) & kHeld) return Status::busy;
    } while (!tail_.compare_exchange_weak(tail, tail | kHeld, memory_order_acq_rel, memory_order_relaxed));
    const u32 position = low(tail);
    Status status = make_room(position, slots, slots_of, evicted);
    // Only close() changes a tail that is held. Where items were pushed out this put is in before
    // the close: it took their place then.
    u64 held = tail | kHeld;
    u64 next;
    do {
      const u32 closed = low(held) & kClosed;
      if (closed && status == Status::ok && evicted == 0) status = Status::closed;
      next = (status == Status::ok ? pack(high(tail) + 1, positions_.advance(position, slots)) : tail) | closed;
      // Sequentially consistent: whoever found the tail held may sleep, and its holder looks for
      // waiters after this.
    } while (!tail_.compare_exchange_weak(held, next, memory_order_seq_cst, memory_order_relaxed));
    if (status == Status::ok) publish(position, slots, bytes, write);
    return status;
  }

  // ok, empty, closed, busy, too_small or damaged. slots_of(bytes) tells how many slots a message
  // of that length has, or 0 if there is none so long: then somebody has written over the memory,
  // and it is left. Up to `limit` bytes it is taken, else left. wanted(n) tells whether the n-th item
  // that was put, counted from 0, is wanted; if not, it is left: empty.
  template <class SlotsOf, class Read, class Wanted = Any>
  Status try_get(u32 limit, SlotsOf&& slots_of, Read&& read, Wanted&& wanted = {}) {
    u64 head = head_.load(memory_order_relaxed);
    for (;;) {
      if (!wanted(high(head))) return Status::empty;
      const u32 position = low(head);
      const u32 index = positions_.index(position);
      const u32 sequence = positions_.full_sequence(position);
      const u64 stamp = slots_.stamp(index).load(memory_order_seq_cst);
      if (low(stamp) != sequence) {
        const u64 now = head_.load(memory_order_seq_cst);
        if (now == head) return nothing_at(position);
        head = now;
        continue;
      }
      const u32 bytes = high(stamp);
      const u32 slots = slots_of(bytes);
      if (slots == 0) return Status::damaged;
      if (bytes > limit) {
        // Another get may have taken that item, and the stamp may be of a later one: then this one
        // has not been looked at yet.
        const u64 now = head_.load(memory_order_seq_cst);
        if (now == head) return Status::too_small;
        head = now;
        continue;
      }
      const u64 next = pack(high(head) + 1, positions_.advance(position, slots));
      if (!head_.compare_exchange_weak(head, next, memory_order_acq_rel, memory_order_relaxed)) continue;
      read(Span{index, slots, bytes});
      release(position, slots);
      return Status::ok;
    }
  }

  // Puts up to `most` messages of one slot and `bytes` each, as many as there is room for, with one
  // claim; `done` says how many. They lie in one part of the ring, or in two where it wraps:
  // write(index, k, n) writes n of them, from the k-th on, to the slots from index on. The stamps
  // are stored with release at most: who looks for waiters then does it by a read-modify-write
  // (wait.h).
  template <class Write>
  Status try_put_many(u32 most, u32 bytes, u32& done, Write&& write) {
    Claim claim;
    const Status status = claim_to_put(most, claim);
    done = claim.count;
    each_part(claim, [&](u32 part, u32 k, u32 n) { write(positions_.index(part), k, n); });
    store_stamps(claim, [=, this](u32 part) { return pack(bytes, positions_.full_sequence(part)); });
    return status;
  }

  // Gets up to `most` messages, which must be of one slot each, as many as there are, with one
  // claim: read(index, k, n), likewise.
  template <class Read>
  Status try_get_many(u32 most, u32& done, Read&& read) {
    Claim claim;
    const Status status = claim_to_get(most, claim);
    done = claim.count;
    each_part(claim, [&](u32 part, u32 k, u32 n) { read(positions_.index(part), k, n); });
    store_stamps(claim, [this](u32 part) { return positions_.next_free_sequence(part); });
    return status;
  }

  // A batch of exactly kRun, all or none, without a loop between claim and publish: a thread that
  // runs WebAssembly may be ended at any loop. write(index, k): the k-th goes to that slot. False
  // for whatever reason; try_put says for which reasons a caller may sleep.
  template <u32 kRun, class Write>
  bool try_put_run(u32 bytes, Write&& write) {
    u64 tail = tail_.load(memory_order_relaxed);
    const u32 position = low(tail);
    if ((position & (kClosed | kHeld)) || !is_run<kRun>(position, positions_.free_sequence(position))) return false;
    const u64 next = pack(high(tail) + kRun, positions_.advance(position, kRun));
    if (!tail_.compare_exchange_weak(tail, next, memory_order_acq_rel, memory_order_relaxed)) return false;
    straight<kRun>(positions_.index(position), pack(bytes, positions_.full_sequence(position)), write);
    return true;
  }

  template <u32 kRun, class Read>
  bool try_get_run(Read&& read) {
    u64 head = head_.load(memory_order_relaxed);
    const u32 position = low(head);
    if (!is_run<kRun>(position, positions_.full_sequence(position))) return false;
    const u64 next = pack(high(head) + kRun, positions_.advance(position, kRun));
    if (!head_.compare_exchange_weak(head, next, memory_order_acq_rel, memory_order_relaxed)) return false;
    straight<kRun>(positions_.index(position), positions_.next_free_sequence(position), read);
    return true;
  }

  // A batch of exactly kRun messages of these lengths, which may span slots: all or none, before the
  // end of the ring, likewise without a loop. write(span, k).
  template <u32 kRun, class SlotsOf, class Write>
  bool try_put_messages(const u32 (&bytes)[kRun], SlotsOf&& slots_of, Write&& write) {
    u64 tail = tail_.load(memory_order_relaxed);
    const u32 position = low(tail);
    u32 slots = 0;
#pragma GCC unroll 32
    for (u32 k = 0; k < kRun; k++) slots += slots_of(bytes[k]);
    if ((position & (kClosed | kHeld)) || slots > until_end(position) || !free(position, slots)) return false;
    const u64 next = pack(high(tail) + kRun, positions_.advance(position, slots));
    if (!tail_.compare_exchange_weak(tail, next, memory_order_acq_rel, memory_order_relaxed)) return false;
    publish_messages<kRun>(bytes, positions_.index(position), positions_.full_sequence(position), slots_of, write);
    return true;
  }

  // Gets exactly kRun messages, likewise. fits(bytes), an array, tells whether the caller has room
  // for messages of these lengths. read(span, k).
  template <u32 kRun, class SlotsOf, class Fits, class Read>
  bool try_get_messages(SlotsOf&& slots_of, Fits&& fits, Read&& read) {
    u64 head = head_.load(memory_order_relaxed);
    const u32 position = low(head);
    const u32 index = positions_.index(position);
    const u32 sequence = positions_.full_sequence(position);
    const u32 most = std::min(until_end(position), kMostFreed);
    u32 bytes[kRun];
    u32 slots = 0;
    bool there = true;
#pragma GCC unroll 32
    for (u32 k = 0; k < kRun; k++) {
      const u64 stamp = slots_.stamp(index + (slots < most ? slots : 0)).load(memory_order_acquire);
      bytes[k] = high(stamp);
      const u32 of_message = slots_of(bytes[k]);
      there = there && slots < most && low(stamp) == sequence && of_message > 0;
      slots += of_message;
    }
    if (!there || slots > most || !fits(bytes)) return false;
    const u64 next = pack(high(head) + kRun, positions_.advance(position, slots));
    if (!head_.compare_exchange_weak(head, next, memory_order_acq_rel, memory_order_relaxed)) return false;
    u32 at = index;
#pragma GCC unroll 32
    for (u32 k = 0; k < kRun; k++) {
      const Span span{at, slots_of(bytes[k]), bytes[k]};
      read(span, k);
      at += span.slots;
    }
    const u64 freed = positions_.next_free_sequence(position);
    free_behind<kMostFreed / 2 + 1>(index, slots, freed);
    store_stamp(index, true, freed);
    return true;
  }

  // The positions of puts and gets. One does not change as long as the slot that all puts, or all
  // gets, need is claimed.
  u64 tail_word() const { return tail_.load(memory_order_relaxed); }
  u64 head_word() const { return head_.load(memory_order_relaxed); }

  // A hint: it may be another's by the time this returns.
  bool has_item() const {
    const u32 position = low(head_.load(memory_order_relaxed));
    return low(slots_.stamp(positions_.index(position)).load(memory_order_relaxed)) == positions_.full_sequence(position);
  }

  // Bytes of the next item, 0 if there is none; right only while nobody else gets.
  u32 next_bytes() const {
    const u32 position = low(head_.load(memory_order_seq_cst));
    const u64 stamp = slots_.stamp(positions_.index(position)).load(memory_order_seq_cst);
    return low(stamp) == positions_.full_sequence(position) ? high(stamp) : 0;
  }

  // After this no put is accepted. The bit lives in tail, so that a put either is in before it, or
  // fails.
  void close() { tail_.fetch_or(kClosed, memory_order_seq_cst); }
  bool closed() const { return low(tail_.load(memory_order_seq_cst)) & kClosed; }

  // Whether a get could do something now: take an item, or learn that the ring is closed. As in
  // try_get, a look at the head counts only if it still was the head. Otherwise a waiter would be
  // left beside an item that is there.
  bool get_ready() const {
    u64 head = head_.load(memory_order_seq_cst);
    for (;;) {
      const u32 position = low(head);
      const u64 stamp = slots_.stamp(positions_.index(position)).load(memory_order_seq_cst);
      if (low(stamp) == positions_.full_sequence(position)) return true;
      const u64 now = head_.load(memory_order_seq_cst);
      if (now == head) return nothing_at(position) == Status::closed;
      head = now;
    }
  }

  // Whether there is room for so many slots, at most all. Likewise.
  bool has_room(u32 slots) const {
    u64 tail = tail_.load(memory_order_seq_cst);
    for (;;) {
      if (free(low(tail) & kPositionMask, slots)) return true;
      const u64 now = tail_.load(memory_order_seq_cst);
      if (now == tail) return false;
      tail = now;
    }
  }

  // Whether a put of one slot could do something now: store its item, or learn that the ring is
  // closed.
  bool put_ready() const { return closed() || has_room(1); }

  // The numbers of items put and got, by whatever means, mod 2^32.
  u32 items_put() const { return items_in(tail_); }
  u32 items_got() const { return items_in(head_); }

  // Looks at the next item and leaves it: ok, empty, closed, busy, too_small or damaged. look(span)
  // may see what is being overwritten, since it has not claimed the slots: it must copy and nothing
  // else, and what it copied counts only when this returns ok.
  template <class SlotsOf, class Look>
  Status try_peek(u32 limit, SlotsOf&& slots_of, Look&& look) {
    u64 head = head_.load(memory_order_seq_cst);
    for (;;) {
      const u32 position = low(head);
      const u32 index = positions_.index(position);
      const u64 found = slots_.stamp(index).load(memory_order_seq_cst);
      const bool there = low(found) == positions_.full_sequence(position);
      const u32 bytes = high(found);
      const u32 slots = slots_of(bytes);
      if (there && slots > 0 && bytes <= limit) look(Span{index, slots, bytes});
      // While head has not moved nobody may overwrite the item. A read-modify-write, since that
      // stays behind the copy, which a load need not.
      const u64 now = head_.fetch_add(0, memory_order_seq_cst);
      if (now != head) {
        head = now;
        continue;
      }
      if (!there) return nothing_at(position);
      if (slots == 0) return Status::damaged;
      return bytes <= limit ? Status::ok : Status::too_small;
    }
  }

  // Items put and not yet got; right only while nobody else puts or gets. Never more than the
  // capacity.
  u32 size() const {
    const u32 got = high(head_.load(memory_order_seq_cst));
    const u32 items = high(tail_.load(memory_order_seq_cst)) - got;
    return items < positions_.capacity ? items : positions_.capacity;
  }

  bool drained() const {
    const u64 head = head_.load(memory_order_seq_cst);
    return low(head) == (low(tail_.load(memory_order_seq_cst)) & ~kClosed);  // not while somebody holds the tail, who may put one more
  }

 private:
  // The last slot is the last to become free where one message lay before, so looking backwards
  // fails soonest.
  bool free(u32 position, u32 slots) const {
    for (u32 k = slots; k-- > 0;) {
      const u32 at = k == 0 ? position : positions_.advance(position, k);
      if (low(slots_.stamp(positions_.index(at)).load(memory_order_seq_cst)) != positions_.free_sequence(at)) return false;
    }
    return true;
  }

  // The reason why a put can't claim slots at that tail: closed or busy. Returns ok if the tail has
  // changed, and then updates it.
  Status no_put_at(u64& tail) const {
    if (low(tail) & kClosed) return Status::closed;
    // Sequentially consistent, as the caller may sleep.
    const u64 now = tail_.load(memory_order_seq_cst);
    if (now == tail) return Status::busy;
    tail = now;
    return Status::ok;
  }

  // Why so many slots are not free at that tail: full or busy; ok likewise. What was seen of the
  // slots counts if this is still their lap. Sequentially consistent, as the caller may sleep, and
  // so that all who compare the two words agree on the order of their changes.
  Status no_room_at(u64& tail, u32 slots) const {
    u64 now = tail_.load(memory_order_seq_cst);
    if (now == tail) {
      const u32 used = positions_.between(low(head_.load(memory_order_seq_cst)), low(tail));
      now = tail_.load(memory_order_seq_cst);
      if (now == tail) return positions_.capacity - used < slots ? Status::full : Status::busy;
    }
    tail = now;
    return Status::ok;
  }

  // Called by the holder of the tail, which is at that position. Makes sure that so many slots are
  // free from there on: ok, busy or damaged.
  template <class SlotsOf>
  Status make_room(u32 tail, u32 slots, SlotsOf&& slots_of, u32& evicted) {
    u64 head = head_.load(memory_order_seq_cst);
    for (;;) {
      const u32 room = positions_.capacity - positions_.between(low(head), tail);
      u32 freed = 0;
      u32 items = 0;
      bool settled = free(tail, std::min(room, slots));
      for (u32 at = low(head); settled && room + freed < slots;) {
        const u64 stamp = slots_.stamp(positions_.index(at)).load(memory_order_seq_cst);
        settled = low(stamp) == positions_.full_sequence(at);
        if (!settled) break;
        const u32 of_item = slots_of(high(stamp));
        if (of_item == 0) return Status::damaged;
        at = positions_.advance(at, of_item);
        freed += of_item;
        items++;
      }
      if (!settled) {
        const u64 now = head_.load(memory_order_seq_cst);
        if (now == head) return Status::busy;
        head = now;
        continue;
      }
      if (items == 0) return Status::ok;
      // Acquire and release, as for every claim of head.
      const u64 next = pack(high(head) + items, positions_.advance(low(head), freed));
      if (!head_.compare_exchange_weak(head, next, memory_order_acq_rel, memory_order_relaxed)) continue;
      release(low(head), freed);
      evicted = items;
      return Status::ok;
    }
  }

  template <class Write>
  void publish(u32 position, u32 slots, u32 bytes, Write&& write) {
    const u32 index = positions_.index(position);
    write(Span{index, slots, bytes});
    // Release: the payload is visible to whoever sees the stamp. Sequentially consistent: see
    // publishing in wait.h.
    slots_.stamp(index).store(pack(bytes, positions_.full_sequence(position)), memory_order_seq_cst);
  }

  // The slots that a batch owns: so many from that position on.
  struct Claim {
    u32 position = 0;
    u32 count = 0;
  };

  // Claims up to `most` slots that are free for their lap: ok, full, closed or busy.
  Status claim_to_put(u32 most, Claim& claim) {
    u64 tail = tail_.load(memory_order_relaxed);
    for (;;) {
      const u32 position = low(tail);
      if (position & (kClosed | kHeld)) {
        const Status status = no_put_at(tail);
        if (status != Status::ok) return status;
        continue;
      }
      const u32 count = run_of(position, most, 0);
      if (count == 0) {
        const Status status = no_room_at(tail, 1);
        if (status != Status::ok) return status;
        continue;
      }
      const u64 next = pack(high(tail) + count, positions_.advance(position, count));
      if (!tail_.compare_exchange_weak(tail, next, memory_order_acq_rel, memory_order_relaxed)) continue;
      claim = {position, count};
      return Status::ok;
    }
  }

  // Claims up to `most` items of one slot each: ok, empty, closed or busy.
  Status claim_to_get(u32 most, Claim& claim) {
    u64 head = head_.load(memory_order_relaxed);
    for (;;) {
      const u32 position = low(head);
      const u32 count = run_of(position, most, 1);
      if (count == 0) {
        const u64 now = head_.load(memory_order_seq_cst);
        if (now == head) return nothing_at(position);
        head = now;
        continue;
      }
      const u64 next = pack(high(head) + count, positions_.advance(position, count));
      if (!head_.compare_exchange_weak(head, next, memory_order_acq_rel, memory_order_relaxed)) continue;
      claim = {position, count};
      return Status::ok;
    }
  }

  // part(position, k, n) for the slots before the end of the ring, then for those after it, if
  // there are any: n of them, from the k-th on.
  template <class Part>
  void each_part(const Claim& claim, Part&& part) const {
    const u32 first = std::min(claim.count, until_end(claim.position));
    if (first > 0) part(claim.position, 0, first);
    if (first < claim.count) part(positions_.advance(claim.position, first), first, claim.count - first);
  }

  u32 until_end(u32 position) const { return positions_.capacity - positions_.index(position); }

  // True if so many slots from there on, all before the end of the ring, have that sequence. It looks
  // at all of them, which takes less than a branch for each.
  template <u32 kRun>
  bool is_run(u32 position, u32 sequence) const {
    if (until_end(position) < kRun) return false;
    const u32 index = positions_.index(position);
    u32 others = 0;
#pragma GCC unroll 32
    for (u32 k = 0; k < kRun; k++) others |= low(slots_.stamp(index + k).load(memory_order_acquire)) ^ sequence;
    return others == 0;
  }

  // The number of slots from there on, at most `most`, that are free for their lap (published: 0)
  // or published in it (1), without a gap.
  u32 run_of(u32 position, u32 most, u32 published) const {
    u32 count = 0;
    bool whole = true;
    each_part({position, std::min(most, positions_.capacity)}, [&](u32 part, u32, u32 n) {
      const u32 index = positions_.index(part);
      const u32 sequence = positions_.free_sequence(part) + published;
      for (u32 k = 0; whole && k < n; k++) {
        whole = low(slots_.stamp(index + k).load(memory_order_seq_cst)) == sequence;
        count += whole;
      }
    });
    return count;
  }

  // each(slot, k) and that stamp for each slot of a run, the first last.
  template <u32 kRun, class Each>
  void straight(u32 index, u64 stamp, Each&& each) const {
    if constexpr (kRun > 0) {
      each(index + kRun - 1, kRun - 1);
      store_stamp(index + kRun - 1, kRun == 1, stamp);
      straight<kRun - 1>(index, stamp, each);
    }
  }

  // The stamps of messages that begin one behind the other, the first last.
  template <u32 kRun, u32 kDone = 0, class SlotsOf, class Write>
  void publish_messages(const u32 (&bytes)[kRun], u32 index, u32 sequence, SlotsOf&& slots_of, Write&& write) const {
    if constexpr (kDone < kRun) {
      const Span span{index, slots_of(bytes[kDone]), bytes[kDone]};
      write(span, kDone);
      publish_messages<kRun, kDone + 1>(bytes, index + span.slots, sequence, slots_of, write);
      store_stamp(index, kDone == 0, pack(span.bytes, sequence));
    }
  }

  // How many slots a run of messages may have: without a loop each is a piece of code.
  static constexpr u32 kMostFreed = 63;

  // That stamp for each of so many slots from `index` on but the first.
  template <u32 kUnit>
  void free_behind(u32 index, u32 slots, u64 stamp) const {
    if constexpr (kUnit > 0) {
      const u32 behind = slots - 1;
      const u32 first = index + 1 + (behind & ~(2 * kUnit - 1));
      if (behind & kUnit) {
#pragma GCC unroll 32
        for (u32 k = 0; k < kUnit; k++) store_stamp(first + k, false, stamp);
      }
      free_behind<kUnit / 2>(index, slots, stamp);
    }
  }

  // A stamp of a batch, whose first one is stored last.
  void store_stamp(u32 index, bool is_first, u64 stamp) const {
    if (!is_first) {
      store_relaxed(slots_.stamp(index), stamp);  // made known by the first, see "Orders"
    } else {
      slots_.stamp(index).store(stamp, memory_order_release);
    }
  }

  template <class StampOf>
  void store_stamps(const Claim& claim, StampOf&& stamp_of) const {
    if (claim.count == 0) return;
    each_part(claim, [&](u32 part, u32 first, u32 n) {
      for (u32 k = first == 0 ? 1 : 0; k < n; k++) store_relaxed(slots_.stamp(positions_.index(part) + k), stamp_of(part));
    });
    store_stamp(positions_.index(claim.position), true, stamp_of(claim.position));
  }

  // The reason why there is nothing at that head. A tail that is closed stands still: with head
  // there, nothing is left and nothing will come. A tail elsewhere, or held, means that somebody is
  // about to publish an item.
  Status nothing_at(u32 position) const {
    const u32 tail = low(tail_.load(memory_order_seq_cst));
    if (tail == position) return Status::empty;
    return tail == (position | kClosed) ? Status::closed : Status::busy;
  }

  // One slot: sequentially consistent, see freeing in wait.h. Several: release, and the caller
  // looks for waiters with a read-modify-write.
  void release(u32 position, u32 slots) {
    if constexpr (Slots::kMostSlots > 0) {
      release_straight<Slots::kMostSlots>(position, slots, slots);
    } else {
      for (u32 k = 0; k < slots; k++) position = release_one(position, slots);
    }
  }

  // The same without a loop, for WebAssembly.
  template <u32 kMost>
  void release_straight(u32 position, u32 left, u32 slots) {
    if constexpr (kMost > 0) {
      if (left == 0) return;
      release_straight<kMost - 1>(release_one(position, slots), left - 1, slots);
    }
  }

  u32 release_one(u32 position, u32 slots) {
    Atomic<u64>& stamp = slots_.stamp(positions_.index(position));
    stamp.store(positions_.next_free_sequence(position), slots == 1 ? memory_order_seq_cst : memory_order_release);
    return positions_.advance(position, 1);
  }

  Atomic<u64>& tail_;
  Atomic<u64>& head_;
  const Positions positions_;
  const Slots slots_;
};

}  // namespace threadsafe
