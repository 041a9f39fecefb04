// Waits until somebody has ended a copy, between claim and publish or between claim and free: the
// patience of settle() in core/queue.h. Not for signal handlers.
//
// That copy is over in nanoseconds, unless its maker was preempted. So this looks again at once,
// then yields its core, then sleeps for longer and longer. A native thread that was cancelled there
// never ends its copy. So after some seconds the call gives up, and returns full or empty as a
// signal handler would. Stuck remembers where that was, so that only the first call waits that
// long.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "../core/queue.h"
#include "parking.h"

namespace threadsafe {

#ifndef THREADSAFE_LONGEST_COPY  // a fuzzer has less time
#define THREADSAFE_LONGEST_COPY std::chrono::seconds(5)
#endif
inline constexpr std::chrono::milliseconds kLongestCopy = THREADSAFE_LONGEST_COPY;
inline constexpr std::chrono::milliseconds kLongestHeldBack{500};
inline constexpr std::chrono::milliseconds kHeldBackInterval{250};  // how often one that may be held back asks whether it is too long

template <class Interrupted>
class Patience {
 public:
  explicit Patience(StopCheck<Interrupted>& stop_check) : stop_check_(stop_check) {}

  // Pauses. Returns false when patience is at its end, or this thread is being stopped.
  bool operator()() {
    if (tries_++ < kQuickTries) return true;  // a try takes as long as a pause would
    const auto now = Clock::now();
    if (tries_ == kQuickTries + 1) ends_ = now + kLongestCopy;
    if (now >= ends_ || stop_check_.stopped(now)) return false;
    if (tries_ < kQuickTries + kYields) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(sleep_);
      sleep_ = std::min<Clock::duration>(2 * sleep_, kLongestSleep);
    }
    return true;
  }

 private:
  static constexpr u32 kQuickTries = 50;
  static constexpr u32 kYields = 100;
  static constexpr std::chrono::milliseconds kLongestSleep{1};

  StopCheck<Interrupted>& stop_check_;
  u32 tries_ = 0;
  Clock::time_point ends_{};
  Clock::duration sleep_ = std::chrono::microseconds(20);
};

// Whether a put that waits has been held back by another's priority token for so long, while
// nothing was got, that it goes ahead; see core/queue.h. Asked now and then, while it waits.
class HeldBack {
 public:
  // For the puts of that putter's thread or loop.
  HeldBack(const QueueHeader& queue, u32 putter) : queue_(queue), putter_(putter) {}

  bool now() const {
    const u32 holder = token_holder(queue_.token.load(memory_order_relaxed));  // a hint
    return holder != 0 && holder != putter_;
  }

  bool too_long() {
    const auto time = Clock::now();
    const bool held = now();
    const u64 head = queue_.head.load(memory_order_relaxed);  // compared with itself only
    if (!held || head != head_) {
      head_ = head;
      since_ = time;
    }
    return too_long_ = held && time - since_ >= kLongestHeldBack;
  }

  // Whether too_long() has returned true since this was last asked.
  bool was_too_long() { return std::exchange(too_long_, false); }

 private:
  const QueueHeader& queue_;
  const u32 putter_;
  u64 head_ = ~u64{0};
  Clock::time_point since_{};
  bool too_long_ = false;
};

// A blocking put where messages span slots: wait() is interrupted when it is held back for too
// long, and past_token() then goes ahead.
template <class Wait, class PastToken>
Status put_heeding_token(HeldBack& held_back, Wait&& wait, PastToken&& past_token) {
  for (;;) {
    Status status = wait();
    if (status != Status::interrupted || !held_back.was_too_long()) return status;
    status = past_token();
    if (status != Status::full && status != Status::busy) return status;
  }
}

// The positions of puts and gets when somebody lost patience. As long as they have come no further,
// nobody waits again.
class Stuck {
 public:
  // Makes the attempt of a put, and waits for a copy that is in its way; full if that does not end.
  template <class Queue, class Patience, class Attempt>
  Status settle_put(const Queue& queue, Patience&& patience, Attempt&& attempt) {
    return settle_at([&] { return queue.put_word(); }, put_word_, patience, attempt, [] { return Status::full; });
  }

  // Likewise for a put that the overflow policy may drop; it is dropped if the copy does not end.
  template <class Queue, class Patience, class Attempt>
  Status settle_offer(Queue& queue, Patience&& patience, Attempt&& attempt) {
    return settle_at([&] { return queue.put_word(); }, put_word_, patience, attempt, [&] { return queue.undecided_offer(); });
  }

  // Likewise for a get; empty if the copy does not end.
  template <class Queue, class Patience, class Attempt>
  Status settle_get(const Queue& queue, Patience&& patience, Attempt&& attempt) {
    return settle_at([&] { return queue.get_word(); }, get_word_, patience, attempt, [] { return Status::empty; });
  }

 private:
  static constexpr u64 kNowhere = ~u64{0};  // 2^32 - 1 items, at the end of the last lap

  // Relaxed: the remembered position is a hint, which orders nothing.
  template <class Word, class Patience, class Attempt, class GiveUp>
  static Status settle_at(Word&& word, std::atomic<u64>& stuck_at, Patience&& patience, Attempt&& attempt, GiveUp&& give_up) {
    u64 at = kNowhere;
    const auto patience_here = [&] {
      at = word();
      return at != stuck_at.load(std::memory_order_relaxed) && patience();
    };
    const Status status = settle(patience_here, attempt);
    if (status != Status::busy) return status;
    stuck_at.store(at, std::memory_order_relaxed);
    return give_up();
  }

  std::atomic<u64> put_word_{kNowhere};
  std::atomic<u64> get_word_{kNowhere};
};

}  // namespace threadsafe
