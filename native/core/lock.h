// The lock: one word that says who holds it, and a list at which threads and event loops wait for
// it. It is for threads only; a signal handler may look whether it is held.
//
//     word         | epoch : 32 | abandoned : 1 | owner : 31 |
//
//     owner        the number of the thread that holds it, 0 if none does
//     abandoned    the last holder's thread has ended without a release; only while nobody holds it
//     epoch        counts acquisitions, mod 2^32
//
// A release names the thread and the epoch of its acquisition, so releasing twice is harmless. The
// next acquisition clears `abandoned` and is told of it.
//
// Any caller may take a free lock, also ahead of those who wait. A lock that is handed over to a
// sleeper is idle until the sleeper has woken, which takes as long as dozens of critical sections.
// A reservation prevents starvation:
//
//     reservation  | waits since : 32 | thread : 32 |    0 if there is none; milliseconds
//
// A waiter that has waited for a millisecond and finds the lock held reserves it. From then on
// others act as if the lock were held. The oldest has precedence: it takes a reservation over from
// one that has waited less long.
//
// A reservation does not last long, as an event loop may be busy with something else. So a caller
// that has found the lock free and reserved for a while, both words unchanged, goes ahead. That
// while is a millisecond, or a quarter of the time that the other has waited, at most half a
// second. Otherwise a loop with long iterations would never be in time.
//
// Why no wake is lost. A release makes the lock free, then looks at the list; a waiter announces
// itself, then looks at the word: all sequentially consistent, as wait.h wants it. While there is
// no reservation, any waiter can use the lock, and one is woken. Otherwise only the waiter with the
// reservation can, so all are woken. A waiter reserves, then looks at the word again; a release
// changes the word, then looks at the reservation: so either the release sees the reservation, or
// the waiter that the lock is free. Nobody sleeps for long beside a free lock that is reserved for
// another: such a sleep is brief, and the waiter looks again (Status::busy). Before it sleeps a
// waiter looks whether it may take the lock, besides looking for permits: its own may have gone to
// another (wait.h).
//
// Why nobody starves. Threads sleep in the order of their arrival, and a release without a
// reservation wakes the first. A loop that waits looks again after a millisecond by itself. So each
// of them comes round in time, and reserves the lock if it is held. It may then sleep without a
// limit, because at its last look the lock was held and reserved, for itself or for one who has
// waited longer; and until it has looked again no reservation ends unnoticed:
//
//     its holder takes the lock    after a release, which saw the reservation and woke all
//     its holder gives up          and wakes all
//     another goes ahead           of a free lock, beside which nobody sleeps for long
//
// A reservation whose holder has the lock is about to be removed, and counts as none. So the waiter
// that has waited longest is served next, as soon as it comes round.
#pragma once

#include <algorithm>

#include "layout.h"
#include "ring.h"
#include "status.h"
#include "wait.h"

namespace threadsafe {

inline constexpr u64 kAbandoned = u64{1} << 31;
inline constexpr u32 kMostThreads = static_cast<u32>(kAbandoned) - 1;

constexpr u32 lock_owner(u64 word) { return low(word) & kMostThreads; }

// An acquisition.
struct Hold {
  u32 epoch;
  bool abandoned;  // the holder before it has ended
};

// A waiter: the number of a thread, which is blocked or whose event loop waits, and the time since
// when it waits, in milliseconds, mod 2^32.
struct LockWaiter {
  u32 thread;
  u32 since;
};

// The state that a caller keeps of a lock that it has found free and reserved for another.
class Courtesy {
 public:
  // Whether the other has had enough time.
  bool is_over(u64 word, u64 reservation, u32 now) {
    if (word != word_ || reservation != reservation_) {
      word_ = word;
      reservation_ = reservation;
      since_ = now;
    }
    return now - since_ >= std::clamp((now - high(reservation)) / 4, kShortest, kLongest);
  }

 private:
  static constexpr u32 kShortest = 2;  // of a clock of whole milliseconds: at least one has passed
  static constexpr u32 kLongest = 500;

  u64 word_ = 0;
  u64 reservation_ = 0;
  u32 since_ = 0;
};

// Wake: one(list) and all(list), called when someone waits there.
template <class Wake>
class Lock {
 public:
  Lock(LockHeader& header, Wake wake) : header_(header), wake_(wake) {}

  // 0 if nobody holds it. Sequentially consistent: this is the try of wait.h. [signal-safe]
  u32 owner() const { return lock_owner(word()); }
  bool is_held() const { return owner() != 0; }

  // Makes the try of a call that does not wait. Returns ok; full if another holds the lock; or busy
  // if it is free and reserved for another.
  Status try_acquire(u32 thread, Hold& hold) {
    const u64 reservation = reserved();
    if (reservation != 0 && low(reservation) != thread) return is_held() ? Status::full : Status::busy;
    u64 word = this->word();
    do {
      if (lock_owner(word) != 0) return Status::full;
    } while (!take(word, thread, hold));
    return Status::ok;
  }

  // Does the same for callers that have a clock, and so know when a reservation is over.
  Status try_acquire(u32 thread, u32 now, Courtesy& courtesy, Hold& hold) { return attempt({thread, now}, now, courtesy, hold); }

  // Makes a try of a call that waits. After full it may sleep until it is woken, if it has waited
  // for kPatience; after busy it must look again soon.
  Status attempt(LockWaiter waiter, u32 now, Courtesy& courtesy, Hold& hold) {
    const u64 ours = pack(waiter.since, waiter.thread);
    for (;;) {
      u64 word = this->word();
      u64 reservation = reserved();
      if (lock_owner(word) != 0) {
        if (!would_reserve(waiter, now, word, reservation)) return Status::full;
        // Sequentially consistent, and the word is looked at again after it. See "Why no wake is
        // lost".
        header_.reservation.compare_exchange_weak(reservation, ours, memory_order_seq_cst, memory_order_seq_cst);
        continue;
      }
      if (!goes_first(waiter, word, reservation) && !courtesy.is_over(word, reservation, now)) return Status::busy;
      if (!take(word, waiter.thread, hold)) continue;
      // The reservation is its own thread's, as another call may have made it and left. Or it
      // belongs to a waiter that did not come in time, and that reserves the lock again when it
      // does.
      const bool is_own = low(reservation) == waiter.thread;
      if (reservation != 0 && (is_own || !is_older(waiter.since, high(reservation)))) remove(reservation);
      return Status::ok;
    }
  }

  // Whether an attempt of that waiter could succeed now. Loops ask this after they have announced
  // themselves.
  bool should_attempt(LockWaiter waiter, u32 now) const {
    const u64 word = this->word();
    return lock_owner(word) == 0 || would_reserve(waiter, now, word, reserved());
  }

  // Blocks until it has the lock: ok, timeout or interrupted; or busy if the time was over while
  // the lock was reserved for another. time() is the clock. The parker is as for wait(), but
  // sleep(may_sleep, briefly) does not sleep for much longer than a millisecond if `briefly`.
  template <class Parker, class Time>
  Status acquire(Parker& parker, u32 thread, Time&& time, Hold& hold) {
    const LockWaiter waiter{thread, time()};
    Courtesy courtesy;
    Status last = Status::full;
    BriefParker<Parker> brief{parker, last};
    return wait(
        header_.waiters, brief, [&] { return last = attempt(waiter, time(), courtesy, hold); },
        [&] { return permits(header_.waiters) == 0 && !may_take(waiter); }, [&] { leave(waiter); });
  }

  // Releases the lock, unless that thread does not hold it by that acquisition. `hold.abandoned`
  // marks an acquisition that was not used: the next holder is told in its place. A thread that is
  // killed before the exchange abandons the lock; after it, the thread's end makes the wake.
  void release(u32 thread, Hold hold) {
    const u64 held = pack(hold.epoch, thread);
    u64 word = held;
    // Sequentially consistent: the change of wait.h. All of the critical section comes before it.
    while (!header_.word.compare_exchange_weak(word, free_word(hold.epoch, hold.abandoned), memory_order_seq_cst, memory_order_relaxed)) {
      if (word != held) return;
    }
    wake_next();
  }

  // Makes the wake of a release.
  void wake_next() {
    if (!someone_waits(header_.waiters)) return;
    if (reserved() != 0) {
      wake_.all(header_.waiters);
    } else {
      wake_.one(header_.waiters);
    }
  }

  // A waiter that leaves looks once more on behalf of the others.
  void pass_on() {
    if (!is_held()) wake_next();
  }

  // Called when a waiter leaves, for whatever reason.
  void leave(LockWaiter waiter) {
    const u64 ours = pack(waiter.since, waiter.thread);
    if (reserved() == ours && remove(ours)) return wake_everybody();
    pass_on();
  }

  // Called when that event loop, of that thread, has no waiting call any more.
  void withdraw(u32 loop, u32 thread) {
    withdraw_loop(header_.waiters, loop, [&] { leave_all_of(thread); });
  }

  // Called when that thread has ended. It may have held the lock, reserved it, or released it and
  // woken nobody.
  void abandon(u32 thread) {
    u64 word = this->word();
    // Sequentially consistent, as in release().
    while (lock_owner(word) == thread &&
           !header_.word.compare_exchange_weak(word, free_word(high(word), true), memory_order_seq_cst, memory_order_seq_cst)) {
    }
    const u64 reservation = reserved();
    if (low(reservation) == thread) remove(reservation);
    wake_everybody();
  }

 private:
  // A waiter that has waited this long and finds the lock held reserves it.
  static constexpr u32 kPatience = 2;  // of a clock of whole milliseconds: at least one has passed

  // Adapts a parker to wait(), which knows only one kind of sleep.
  template <class Parker>
  struct BriefParker {
    bool pause() { return parker.pause(); }
    template <class MaySleep>
    Status sleep(MaySleep&& may_sleep) {
      return parker.sleep(may_sleep, last == Status::busy);
    }
    void leave() { parker.leave(); }

    Parker& parker;
    const Status& last;
  };

  static constexpr u64 free_word(u32 epoch, bool abandoned) { return pack(epoch, 0) | (abandoned ? kAbandoned : 0); }

  static constexpr bool is_older(u32 since, u32 other) { return static_cast<std::int32_t>(since - other) < 0; }

  // Whether no other waiter's reservation holds this one back.
  static constexpr bool goes_first(LockWaiter waiter, u64 word, u64 reservation) {
    const u32 holder = low(reservation);
    return reservation == 0 || holder == waiter.thread || holder == lock_owner(word) || is_older(waiter.since, high(reservation));
  }

  static constexpr bool would_reserve(LockWaiter waiter, u32 now, u64 word, u64 reservation) {
    return now - waiter.since >= kPatience && low(reservation) != waiter.thread && goes_first(waiter, word, reservation);
  }

  // Sequentially consistent: see "Why no wake is lost".
  u64 word() const { return header_.word.load(memory_order_seq_cst); }
  u64 reserved() const { return header_.reservation.load(memory_order_seq_cst); }

  bool may_take(LockWaiter waiter) const {
    const u64 word = this->word();
    return lock_owner(word) == 0 && goes_first(waiter, word, reserved());
  }

  // Takes the lock if its word is still that free one. Sequentially consistent: the try of wait.h,
  // which comes after the last release.
  bool take(u64& word, u32 thread, Hold& hold) {
    const u32 epoch = high(word) + 1;
    if (!header_.word.compare_exchange_weak(word, pack(epoch, thread), memory_order_seq_cst, memory_order_seq_cst)) return false;
    hold = {epoch, (word & kAbandoned) != 0};
    return true;
  }

  // Removes that reservation. Returns false if it had changed. Sequentially consistent, as others
  // look for it.
  bool remove(u64 reservation) {
    u64 found = reservation;
    while (!header_.reservation.compare_exchange_weak(found, 0, memory_order_seq_cst, memory_order_seq_cst)) {
      if (found != reservation) return false;
    }
    return true;
  }

  void leave_all_of(u32 thread) {
    const u64 reservation = reserved();
    if (low(reservation) == thread && remove(reservation)) return wake_everybody();
    pass_on();
  }

  // Called when a reservation has ended: others sleep because of it, and must learn of its end.
  void wake_everybody() {
    if (someone_waits(header_.waiters)) wake_.all(header_.waiters);
  }

  LockHeader& header_;
  Wake wake_;
};

}  // namespace threadsafe
