// The lock: one word that says who holds it, and a list at which threads and event loops wait for
// it. Between threads only; a signal handler may look whether it is held.
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
// Whoever comes may take a free lock, also ahead of those who wait: a lock that is handed over to a
// sleeper is idle until that has woken, which takes as long as dozens of critical sections. Against
// starvation there is a reservation:
//
//     reservation  | waits since : 32 | thread : 32 |    0 if there is none; milliseconds
//
// A waiter that has waited for a millisecond and finds the lock held reserves it. From then on
// others act as if the lock were held. The oldest has precedence: it takes a reservation over from
// one that has waited less long.
//
// A reservation can't be relied on for long: an event loop comes round when it has done something
// else. So whoever has found the lock free and reserved, both unchanged, for a while goes ahead.
// That is a millisecond; or a quarter of the time that the other has waited, at most half a second,
// as a loop whose iterations are long would otherwise never be in time.
//
// Why no wake is lost. A release makes the lock free, then looks at the list; a waiter announces
// itself, then looks at the word: all sequentially consistent, as wait.h wants it. While there is no
// reservation any waiter can use the lock, and one is woken. Else only the one that has it can, so
// that all are. A waiter reserves, then looks at the word again; a release changes the word, then
// looks at the reservation: so either the release sees the reservation, or the waiter that the lock
// is free. Nobody sleeps for long beside a free lock that is reserved for another: such a sleep is
// brief, and the waiter looks again (Status::busy). Before it sleeps a waiter looks whether it may
// take the lock, besides looking for permits: its own may have gone to another (wait.h).
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
// A reservation whose holder has the lock is about to be removed, and counts as none. So of those
// who wait the oldest is served next, as soon as it comes round.
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

// Who waits: a thread by its number, blocked or its event loop; and since when, in milliseconds,
// mod 2^32.
struct LockWaiter {
  u32 thread;
  u32 since;
};

// What a caller remembers of a lock that it has found free and reserved for another.
class Courtesy {
 public:
  // Whether the other has had its time.
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

  // A try of a call that does not wait: ok, full: another holds it, or busy: it is free, and
  // reserved for another.
  Status try_acquire(u32 thread, Hold& hold) {
    const u64 reservation = reserved();
    if (reservation != 0 && low(reservation) != thread) return is_held() ? Status::full : Status::busy;
    u64 word = this->word();
    do {
      if (lock_owner(word) != 0) return Status::full;
    } while (!take(word, thread, hold));
    return Status::ok;
  }

  // The same for callers that have a clock, and so know when a reservation has had its time.
  Status try_acquire(u32 thread, u32 now, Courtesy& courtesy, Hold& hold) { return attempt({thread, now}, now, courtesy, hold); }

  // A try of a call that waits. Full: it may sleep until it is woken, if it has waited for
  // kPatience; busy: it must look again soon.
  Status attempt(LockWaiter waiter, u32 now, Courtesy& courtesy, Hold& hold) {
    const u64 ours = pack(waiter.since, waiter.thread);
    for (;;) {
      u64 word = this->word();
      u64 reservation = reserved();
      if (lock_owner(word) != 0) {
        if (!would_reserve(waiter, now, word, reservation)) return Status::full;
        // Sequentially consistent; and the word is looked at again. See "Why no wake is lost".
        header_.reservation.compare_exchange_weak(reservation, ours, memory_order_seq_cst, memory_order_seq_cst);
        continue;
      }
      if (!goes_first(waiter, word, reservation) && !courtesy.is_over(word, reservation, now)) return Status::busy;
      if (!take(word, waiter.thread, hold)) continue;
      // Its thread's own: another of its calls may have made it, and left. Or that of one who has
      // not come in time, and reserves it again when it does.
      const bool is_own = low(reservation) == waiter.thread;
      if (reservation != 0 && (is_own || !is_older(waiter.since, high(reservation)))) remove(reservation);
      return Status::ok;
    }
  }

  // Whether an attempt of that waiter could do something now. For loops, which look after they have
  // announced themselves.
  bool should_attempt(LockWaiter waiter, u32 now) const {
    const u64 word = this->word();
    return lock_owner(word) == 0 || would_reserve(waiter, now, word, reserved());
  }

  // Blocks until it has the lock: ok, timeout or interrupted; or busy: the time was over while it
  // was reserved for another. time() is the clock. Parker: as for wait(), but sleep(may_sleep,
  // briefly) does not sleep for much longer than a millisecond if `briefly`.
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

  // Does nothing unless that thread holds it by that acquisition. `hold.abandoned`: it was not
  // used, and the next is told in its place. Killed before the exchange, the thread abandons the
  // lock; after it, its end makes the wake.
  void release(u32 thread, Hold hold) {
    const u64 held = pack(hold.epoch, thread);
    u64 word = held;
    // Sequentially consistent: the change of wait.h, before which all of the critical section is.
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

  // Who leaves a wait looks once more on behalf of the others.
  void pass_on() {
    if (!is_held()) wake_next();
  }

  // A waiter leaves, whatever has become of it.
  void leave(LockWaiter waiter) {
    const u64 ours = pack(waiter.since, waiter.thread);
    if (reserved() == ours && remove(ours)) return wake_everybody();
    pass_on();
  }

  // That event loop, of that thread, has no call any more that waits.
  void withdraw(u32 loop, u32 thread) {
    withdraw_loop(header_.waiters, loop, [&] { leave_all_of(thread); });
  }

  // That thread has ended: it may have held the lock, reserved it, or released it and woken nobody.
  void abandon(u32 thread) {
    u64 word = this->word();
    // Sequentially consistent, as a release.
    while (lock_owner(word) == thread &&
           !header_.word.compare_exchange_weak(word, free_word(high(word), true), memory_order_seq_cst, memory_order_seq_cst)) {
    }
    const u64 reservation = reserved();
    if (low(reservation) == thread) remove(reservation);
    wake_everybody();
  }

 private:
  // After that a waiter that finds the lock held reserves it.
  static constexpr u32 kPatience = 2;  // of a clock of whole milliseconds: at least one has passed

  // For wait(), which knows only one kind of sleep.
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

  // Whether nobody else's reservation concerns it.
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

  // Of a word that was free. Sequentially consistent: the try of wait.h, which comes after the last
  // release.
  bool take(u64& word, u32 thread, Hold& hold) {
    const u32 epoch = high(word) + 1;
    if (!header_.word.compare_exchange_weak(word, pack(epoch, thread), memory_order_seq_cst, memory_order_seq_cst)) return false;
    hold = {epoch, (word & kAbandoned) != 0};
    return true;
  }

  // False if it was another by then. Sequentially consistent, as others look for it.
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

  // Others sleep because there was a reservation, whose end they have to hear of.
  void wake_everybody() {
    if (someone_waits(header_.waiters)) wake_.all(header_.waiters);
  }

  LockHeader& header_;
  Wake wake_;
};

}  // namespace threadsafe
