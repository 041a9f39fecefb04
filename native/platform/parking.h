// Parking: how a thread blocks until somebody unparks it, keyed by the wait list that it sleeps at.
// It uses condition variables, so the same code serves every platform. It is not for signal
// handlers, whose unparking goes through the helper thread (helper.h).
//
// A table of buckets maps the list's address, which is the same in every thread of the process, to
// its sleepers in the order of their arrival. It is never destroyed: a thread may still sleep while
// the process exits.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <span>
#include <thread>

#ifdef _MSC_VER
#define NOMINMAX
#include <windows.h>
#endif

#include "../core/layout.h"
#include "../core/status.h"
#include "condition.h"
#include "loop_watch.h"

namespace threadsafe {

// A point in time, computed once; never() is later than all others.
class Deadline {
 public:
  static Deadline never() { return Deadline(Clock::time_point::max()); }

  // So many milliseconds from now; never() if that is too far away to matter.
  static Deadline after(double milliseconds) {
    constexpr double kCentury = 100.0 * 365 * 86400 * 1000;
    if (!(milliseconds < kCentury)) return never();
    return Deadline(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(milliseconds)));
  }

  bool passed_at(Clock::time_point now) const { return now >= at_; }
  Clock::time_point or_earlier(Clock::time_point other) const { return at_ < other ? at_ : other; }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

class Sleeper;

// A sleeper's entry in the bucket of one list that it sleeps at.
struct Place {
  explicit Place(const WaitList& l) : list(&l) {}

  const WaitList* list;
  Sleeper* sleeper = nullptr;
  Place* previous = nullptr;
  Place* next = nullptr;
};

// One waiting episode of a thread, at one list or at several. It lives on the thread's stack, and
// is in the lists' buckets from the first sleep to leave(). Its mutex and condition variable are
// its own; the locks of buckets are held only to find it, one at a time. Whoever unparks holds a
// bucket's lock and takes the sleeper's inside it; the sleeper never takes a bucket's while it
// holds its own.
class Sleeper {
 public:
  explicit Sleeper(const WaitList& list) : only_(list), places_(&only_, 1) {}
  // The caller owns the places, which must outlive this.
  explicit Sleeper(std::span<Place> places) : only_(*places.front().list), places_(places) {}
  ~Sleeper() { leave(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // Sleeps until unparked, or until that time, and then returns false. may_sleep is asked when this
  // is in all its buckets. An unpark that came to a bucket before has published its change, which
  // may_sleep sees, as the bucket's lock orders them. An unpark that comes later finds this
  // sleeper, and waits for the sleeper's lock, which is held from that question on until the thread
  // is asleep.
  template <class MaySleep>
  bool sleep_until(Clock::time_point time, MaySleep&& may_sleep) {
    enter();
    std::unique_lock<std::mutex> lock(mutex_);
    while (!notified_ && may_sleep()) {
      if (condition_.wait_until(lock, time) == std::cv_status::timeout && !notified_) return false;
    }
    notified_ = false;
    return true;
  }

  void leave();

  // Lets it look again. The caller must keep it from ending meanwhile: unpark() does by the lock of
  // a bucket, a LoopWatch by that of its registry.
  void notify();

 private:
  void enter();

  Place only_;
  const std::span<Place> places_;
  std::mutex mutex_;
  Condition condition_;
  bool notified_ = false;
  bool entered_ = false;
};

// Lets the first `most` sleepers of that list look again.
void unpark(const WaitList& list, u32 most);

// The times that a blocked thread sleeps before it asks again whether it is being stopped. Nobody
// wakes it for a stop, except that waking its loop may.
struct StopIntervals {
  // The descriptor of the thread's loop, if whoever stops the thread wakes that loop. Then the
  // thread asks when something has happened there, and seldom otherwise.
  int loop = kNoLoop;
  // The times as fractions of how long the thread has been blocked, for when it sees nothing of the
  // loop, some of what happens there, or all of it (LoopWatch::Sight). A stop that it does not see,
  // such as that of a script of node:vm whose time is up, is found that much later.
  double blind = 0;
  double some_sight = 0.5;
  double full_sight = 2;
  // The limits of these times.
  Clock::duration shortest = std::chrono::milliseconds(50);
  Clock::duration longest = std::chrono::seconds(2);
};

// Decides when this thread asks whether it is being stopped. It counts from the last question and
// not from the last wake, so that a thread which is often woken in vain asks as well. Interrupted
// is a bool(), called without locks.
template <class Interrupted>
class StopCheck {
 public:
  explicit StopCheck(Interrupted interrupted, const StopIntervals& intervals = {}) : interrupted_(interrupted), intervals_(intervals) {}

  int loop() const { return intervals_.loop; }

  bool is_due(Clock::time_point now, LoopWatch::Sight sight) {
    if (began_ == Clock::time_point{}) began_ = asked_ = now;
    return now >= next(sight);
  }

  bool ask(Clock::time_point now) {
    asked_ = now;
    return interrupted_();
  }

  bool stopped(Clock::time_point now) { return is_due(now, LoopWatch::Sight::none) && ask(now); }

  // Call it after is_due().
  Clock::time_point next(LoopWatch::Sight sight) const {
    // Before the first question, which comes with the watch.
    if (asked_ == began_ && intervals_.loop != kNoLoop) return asked_ + kUntilWatched;
    const auto interval = std::chrono::duration_cast<Clock::duration>(part(sight) * std::chrono::duration<double>(asked_ - began_));
    return asked_ + std::clamp(interval, intervals_.shortest, intervals_.longest);
  }

 private:
  // A watch costs two system calls, and its thread a wake: too much for a call that blocks for
  // microseconds.
  static constexpr std::chrono::milliseconds kUntilWatched{5};

  double part(LoopWatch::Sight sight) const {
    if (sight == LoopWatch::Sight::none) return intervals_.blind;
    return sight == LoopWatch::Sight::some ? intervals_.some_sight : intervals_.full_sight;
  }

  Interrupted interrupted_;
  const StopIntervals intervals_;
  Clock::time_point began_{};
  Clock::time_point asked_{};
};

// A Parker for the blocking calls of core/wait.h and core/select.h: it spins first, and then
// sleeps.
template <class Interrupted>
class ThreadParker {
 public:
  ThreadParker(const WaitList& list, Deadline deadline, StopCheck<Interrupted>& stop_check)
      : sleeper_(list), watch_(sleeper_), deadline_(deadline), stop_check_(stop_check) {}
  ThreadParker(std::span<Place> places, Deadline deadline, StopCheck<Interrupted>& stop_check)
      : sleeper_(places), watch_(sleeper_), deadline_(deadline), stop_check_(stop_check) {}

  // Spinning is worth it while another thread is about to reply: a round trip takes 1-3 us with it,
  // and 80 us through the condition variable. But that other thread may need this very core, and
  // would get it only when this thread parks. So once in a while this yields the core to whoever
  // wants it, and reads the clock.
  bool pause() {
    if (spins_ == 0) {
      spinning_ends_ = Clock::now() + kSpinning;
      for (u32 k = 0; k < first_pause_; k++) relax();
    }
    if (++spins_ % kSpinsPerYield != 0) {
      relax();
      return true;
    }
    std::this_thread::yield();
    return Clock::now() < spinning_ends_;
  }

  // Makes the first pause longer, the more items there are before one's own. For a put to a full
  // queue: looking often for room takes the slots' cache lines away from whoever makes it, and both
  // sides then crawl along at the same slot.
  void keep_off_for(u32 items) { first_pause_ = std::min(items / kItemsPerRelax, kLongestFirstPause); }

  // `briefly`: as if woken after a millisecond.
  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep, bool briefly = false) {
    const auto awake = briefly ? Clock::now() + kBriefly : Clock::time_point::max();
    for (;;) {
      const auto now = Clock::now();
      if (deadline_.passed_at(now)) return Status::timeout;
      if (now >= awake) return Status::ok;
      // is_due() is called in any case, as it has to know when this has begun.
      if (stop_check_.is_due(now, watch_.sight()) || watch_.take_news()) {
        // Begins before the question, so that the watch sees a stop that comes after it, if it can
        // see it at all.
        watch_.begin(stop_check_.loop());
        if (stop_check_.ask(now)) return Status::interrupted;
      }
      slept_ = true;
      const auto until = std::min(awake, deadline_.or_earlier(stop_check_.next(watch_.sight())));
      if (sleeper_.sleep_until(until, may_sleep)) return Status::ok;
    }
  }

  bool stopped() { return stop_check_.stopped(Clock::now()); }

  void leave() {
    watch_.end();
    sleeper_.leave();
  }
  bool slept() const { return slept_; }

 private:
  static constexpr auto kSpinning = std::chrono::microseconds(20);
  static constexpr auto kBriefly = std::chrono::milliseconds(1);
  static constexpr u32 kSpinsPerYield = 100;  // 2 us
  static constexpr u32 kItemsPerRelax = 8;
  static constexpr u32 kLongestFirstPause = 128;  // 3 us

  // Tells the processor that this is a spinning loop.
  static void relax() {
#if defined(_MSC_VER)
    YieldProcessor();
#elif defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
  }

  Sleeper sleeper_;
  LoopWatch watch_;  // ends before the sleeper
  const Deadline deadline_;
  StopCheck<Interrupted>& stop_check_;
  Clock::time_point spinning_ends_{};
  u32 spins_ = 0;
  u32 first_pause_ = 0;
  bool slept_ = false;
};

}  // namespace threadsafe
