// Waiting and waking: how a context that found nothing to do goes to sleep without losing a wake,
// and how one that changed something learns with one load that nobody waits.
//
// A WaitList stands for something that can be waited for: "not empty", "not full", "the event". Two
// kinds of waiters announce themselves in it:
//
//     blocked threads   are counted
//     event loops       are a set of bits, one for each loop's doorbell
//
// A change wakes one blocked thread, if there is any; else one loop that is idle; else, as a loop
// may be busy with something else for long, all of them. Or it wakes everybody (wake_all).
//
//     state  | permits : 32 | loops : 1 | threads : 31 |
//
//     word       set, raised by                  cleared, lowered by
//     threads    a thread that announces (+1)    whoever wakes it (-1, permits +1); its own withdrawal
//     permits    whoever wakes a thread (+1)     the woken thread, by renewing (-1, threads +1) or
//                                                withdrawing (-1)
//     loops      a loop that announces, after    whoever wakes, before it takes the bits
//                it set its bit
//     bit of a   that loop                       whoever rings it; the end of its isolate
//     loop
//
// Whoever wakes a waiter also takes its announcement down, so each waiting episode gets one wake. A
// producer in full flow makes one system call while the consumer is on its way, not one per item.
// threads + permits is always the number of threads that are waiting: announcements are alike, and
// it does not matter whose is taken down. A loop's bit belongs to that loop, and whoever takes it
// rings that loop. So the next change finds another waiter.
//
// Why no wake is lost. A waiter announces (read-modify-write of `state`), then tries (loads a
// stamp, tail, a word). Whoever changes something publishes (stores a stamp, tail, a word), then
// loads `state`. All four are sequentially consistent, so they have one order. In it either the
// announcement comes before the load of `state`, and the change's maker wakes somebody; or the
// change comes before the try, and the waiter sees it. A change of several words at once (freeing
// the slots of a message that spans) stores them with release and reads `state` by a
// read-modify-write. If that comes before the announcement, which is a read-modify-write too, it
// synchronises with the announcement, and the waiter sees every word. If it comes after, it sees
// the announcement.
//
// Some wakes are given in vain:
//
//   1. Slot 1 is published before slot 0, where another producer is still copying. Its wake finds
//      nothing to get. Then slot 0's wake serves one waiter, and the other would sleep beside slot
//      1's item. So whoever leaves a wait looks once more, and wakes the next if there is more.
//   2. A waiter gets its item when it tries again after announcing, or times out, or is cancelled,
//      while a maker spends a wake on it. It leaves in the same way: withdrawing takes a permit
//      first, if there is one, and then the waiter looks once more.
//   3. Room for one slot wakes a putter that needs four, and one that needs a single slot sleeps
//      on. Where messages span slots a wake for room therefore goes to all putters (queue.h).
//
// Why an unpark may come late. Between the permit and the unpark anything may happen: its maker is
// preempted, or has left the unpark to the helper thread (deferred.h). Meanwhile waiters
// come round by themselves - a deadline, a slice of time, a first sleep that is about to begin -
// and take permits, perhaps several, that were given for others. So the number of sleepers to
// unpark is fixed by the compare-exchange that gives the permits. The number of permits left later
// says nothing.
//
// wake_one unparks the first n sleepers, where n is the number of permits at that moment. Sleepers
// stand in the order of their arrival, and whoever sleeps is announced. Take the last permit that
// was given, with its n. Since then permits have only become fewer; and while there is one nobody
// falls asleep, as may_sleep() sees it. So whoever sleeps beside a permit did so when the last one
// was given, and has kept its place. The unpark wakes the first n, or all. Of those n each that has
// left since took a permit with it, so the waiters awake are at least as many as the permits. And
// whoever is awake takes a permit before it sleeps or as it leaves, and then looks: no permit is
// left beside sleepers alone, and no change unseen. It does not matter who takes whose permit, as
// long as any waiter can do with any change.
//
// wake_all unparks everybody. It is used where waiters can't stand in for each other: each has to
// learn that the event was set, and each putter of messages that span slots needs different room. A
// waiter that took another's permit sees nothing that would help that other. So permits are not
// enough here, and may_sleep() also looks at the thing itself. Whoever was in the bucket by the
// time of the unpark is woken by it, and whoever enters later sees the change, as the bucket's lock
// orders them. Closing also wakes all, but needs no such look: whoever leaves a closed queue wakes
// the next.
//
// An unpark that comes late may meet sleepers that have nothing to do with it. They look, and sleep
// again.
//
// A loop that was rung tries again, and announces itself again while any of its calls waits. When
// none does, it leaves, whether it was rung or not: it withdraws its bit, and then looks once more
// on behalf of the others. If its bit was gone, it had been given a wake. It sees that wake's
// change, as the bit was taken after the change. So it need not remember whether it was rung. A
// ring that comes after it has left, or to a loop that has ended, does nothing.
//
// The loops flag and the bits are two words. A loop sets its bit, then the flag. A waker that takes
// one bit leaves the flag; one that takes all of them clears the flag first. A bit that is taken
// early is a ring for nothing, and a flag that is set late finds no bits. Neither loses a wake: if
// a waker clears the flag after a loop had set it, it takes the bits after that loop had set its
// own.
//
// An idle loop may be busy the next moment, so idleness is a hint. The change then waits until the
// loop that was rung comes round.
//
// Everything that wakes is safe in a signal handler, as long as its Waker is.
#pragma once

#include <bit>

#include "layout.h"
#include "ring.h"
#include "status.h"

namespace threadsafe {

inline constexpr u64 kOneThread = 1;
inline constexpr u64 kLoops = u64{1} << 31;
inline constexpr u64 kThreads = kLoops - 1;
inline constexpr u64 kOnePermit = u64{1} << 32;

constexpr u32 threads_in(u64 state) { return static_cast<u32>(state & kThreads); }
constexpr u32 permits_in(u64 state) { return high(state); }

// Asked by the maker of a change, after it; see "Why no wake is lost".
inline bool someone_waits(const WaitList& list) { return low(list.state.load(memory_order_seq_cst)) != 0; }

inline bool someone_waits_after_many_stores(WaitList& list) { return low(list.state.fetch_add(0, memory_order_seq_cst)) != 0; }

inline void announce_thread(WaitList& list) { list.state.fetch_add(kOneThread, memory_order_seq_cst); }

// A thread that was woken, or believes so, waits again: a permit, if there is one, becomes an
// announcement again. Must be followed by a try, as that permit may stand for a change that nobody
// has looked at yet.
inline void renew_thread(WaitList& list) {
  u64 state = list.state.load(memory_order_seq_cst);
  while (permits_in(state) > 0 &&
         !list.state.compare_exchange_weak(state, state - kOnePermit + kOneThread, memory_order_seq_cst, memory_order_seq_cst)) {
  }
}

inline void withdraw_thread(WaitList& list) {
  u64 state = list.state.load(memory_order_seq_cst);
  while (!list.state.compare_exchange_weak(state, state - (permits_in(state) > 0 ? kOnePermit : kOneThread), memory_order_seq_cst,
                                           memory_order_seq_cst)) {
  }
}

inline u32 permits(const WaitList& list) { return permits_in(list.state.load(memory_order_seq_cst)); }

// Returns how many calls wait there, blocked and asynchronous ones.
inline u32 calls_waiting(const WaitList& list) {
  const u64 state = list.state.load(memory_order_seq_cst);
  return threads_in(state) + permits_in(state) + list.calls.load(memory_order_relaxed);  // a count, which orders nothing
}

inline void announce_loop(WaitList& list, u32 loop) {
  list.loops[loop / 64].fetch_or(u64{1} << loop % 64, memory_order_seq_cst);
  list.state.fetch_or(kLoops, memory_order_seq_cst);
}

// Takes that loop's bit; false if it is gone. A read-modify-write, as "A loop that was rung" above
// needs.
inline bool take_loop(WaitList& list, u32 loop) {
  const u64 bit = u64{1} << loop % 64;
  return list.loops[loop / 64].fetch_and(~bit, memory_order_seq_cst) & bit;
}

// Withdraws a loop of which no call waits there any more. pass_on() wakes the next waiter, if there
// is something for it.
template <class PassOn>
void withdraw_loop(WaitList& list, u32 loop, PassOn&& pass_on) {
  take_loop(list, loop);
  pass_on();
}

// Waker: unpark(list, n) lets the first n sleepers of the list look again, now or at any time
// later; ring(loop, list) makes that event loop look at that list; is_idle(loop) tells whether it
// would do so at once.
template <class Waker>
void ring_loops(WaitList& list, Waker& waker) {
  list.state.fetch_and(~kLoops, memory_order_seq_cst);
  for (u32 word = 0; word < kMaxLoops / 64; word++) {
    // A load first: most words are always 0, and a read-modify-write of 16 words is not cheap.
    if (list.loops[word].load(memory_order_seq_cst) == 0) continue;
    u64 bits = list.loops[word].exchange(0, memory_order_seq_cst);
    for (u32 bit = 0; bits != 0; bit++, bits >>= 1) {
      if (bits & 1) waker.ring(word * 64 + bit, list);
    }
  }
}

// True if there are at least two loops to choose among.
inline bool several_loops(const WaitList& list) {
  bool found = false;
  for (u32 word = 0; word < kMaxLoops / 64; word++) {
    const u64 bits = list.loops[word].load(memory_order_relaxed);  // a hint
    if (bits == 0) continue;
    // Not std::popcount: g++ makes it a call of libgcc, in a signal handler too.
    if (found || (bits & (bits - 1)) != 0) return true;
    found = true;
  }
  return false;
}

// Rings loops until one of them was idle. Each busy one that was rung looks when it comes round,
// and the next change need not ask it again. So the cost of a change does not grow with the number
// of busy loops. Returns false if none was idle.
template <class Waker>
bool ring_idle_loop(WaitList& list, Waker& waker) {
  for (u32 word = 0; word < kMaxLoops / 64; word++) {
    // Relaxed: a guess, checked by taking the bit.
    for (u64 bits = list.loops[word].load(memory_order_relaxed); bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<u32>(std::countr_zero(bits));
      const u32 loop = word * 64 + bit;
      // Asked before the ring, after which the loop is not idle any more.
      const bool idle = waker.is_idle(loop);
      // Another waker may have taken it, for another change.
      if (!take_loop(list, loop)) continue;
      waker.ring(loop, list);
      if (idle) return true;
    }
  }
  return false;
}

// Wakes one blocked thread, or else one idle loop, or else all loops.
template <class Waker>
void wake_one(WaitList& list, Waker& waker) {
  u64 state = list.state.load(memory_order_seq_cst);
  while (threads_in(state) > 0) {
    const u64 next = state + kOnePermit - kOneThread;
    if (!list.state.compare_exchange_weak(state, next, memory_order_seq_cst, memory_order_seq_cst)) continue;
    return waker.unpark(list, permits_in(next));
  }
  if (!(state & kLoops) || (several_loops(list) && ring_idle_loop(list, waker))) return;
  ring_loops(list, waker);
}

inline constexpr u32 kEverybody = ~u32{0};

// Wakes all who wait at this moment.
template <class Waker>
void wake_all(WaitList& list, Waker& waker) {
  u64 state = list.state.load(memory_order_seq_cst);
  do {
    if (low(state) == 0) return;
  } while (!list.state.compare_exchange_weak(state, (state & ~kThreads) + threads_in(state) * kOnePermit, memory_order_seq_cst,
                                             memory_order_seq_cst));
  if (threads_in(state) > 0) waker.unpark(list, kEverybody);
  if (state & kLoops) ring_loops(list, waker);
}

// Waits on behalf of a blocking call. The steps are functions, so that one loop serves gets, puts
// and events:
//
//     try_now()    what the call is for; Status::empty, Status::full and Status::busy mean "not now"
//     may_sleep()  false if something has happened since the last try_now(); called by the parker while it decides to sleep
//     pass_on()    wakes the next waiter, if there is something for it
//
// Parker: pause() is called between the tries of the spinning phase and returns false when it has
// lasted long enough; sleep(may_sleep) returns ok when it was woken (or may have been), timeout or
// interrupted.
template <class Parker, class TryNow, class MaySleep, class PassOn>
Status wait(WaitList& list, Parker& parker, TryNow&& try_now, MaySleep&& may_sleep, PassOn&& pass_on) {
  const auto not_now = [](Status status) { return status == Status::empty || status == Status::full || status == Status::busy; };
  Status status;
  do {
    status = try_now();
    if (!not_now(status)) return status;
  } while (parker.pause());
  announce_thread(list);
  for (;;) {
    status = try_now();
    if (!not_now(status)) break;
    const Status woken = parker.sleep(may_sleep);
    if (woken != Status::ok) {
      // A wait that has reached its deadline still takes what is there. If somebody is in the
      // middle of a copy just then, it returns that, and the caller may wait for the copy.
      if (woken == Status::timeout) status = try_now();
      if (woken != Status::timeout || status == Status::empty || status == Status::full) status = woken;
      break;
    }
    renew_thread(list);
  }
  parker.leave();
  withdraw_thread(list);
  pass_on();
  return status;
}

}  // namespace threadsafe
