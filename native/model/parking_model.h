// Parking for the models: native/platform/parking.cc over Relacy's mutex and condition variables,
// with a bucket for each wait list. It has no time slices of 50 ms, which would hide a lost wake.
// Relacy reports a thread that nobody wakes as a deadlock.
#pragma once

#include <algorithm>
#include <iterator>

#include "core/deferred.h"
#include "core/status.h"
#include "core/wait.h"
#include "scheduler.h"

namespace threadsafe::model {

// A condition variable. Relacy's own wakes spuriously whenever others run, and so rescues nearly
// all threads that sleep beside a permit. This one can be kept from doing so.
class Condition {
 public:
  explicit Condition(bool spurious) { impl_.init(spurious, $); }
  ~Condition() { impl_.deinit($); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void wait(rl::mutex& mutex) { impl_.wait(mutex, false, $); }
  // Returns false when the time is over.
  bool wait_for_a_time(rl::mutex& mutex) { return impl_.wait(mutex, true, $) != rl::sema_wakeup_reason_timeout; }
  void notify_one() { impl_.notify_one($); }

 private:
  rl::rl_pthread_cond_t impl_;
};

// Delays the thread: often not at all, otherwise for any time, even until no other thread can go
// on.
inline void delay() {
  if (searching || rl::rand(3) != 0) return;
  rl::mutex mutex;
  Condition over(false);
  mutex.lock($);
  for (unsigned k = 1 + rl::rand(6); k > 0; k--) over.wait_for_a_time(mutex);
  mutex.unlock($);
}

class Sleeper;
struct Parking;

struct Place {
  Parking* parking = nullptr;
  Sleeper* sleeper = nullptr;
  Place* previous = nullptr;
  Place* next = nullptr;
};

// The bucket of one list.
struct Parking {
  rl::mutex mutex;
  Place* first = nullptr;
  Place* last = nullptr;

  void unpark(u32 most);
};

inline constexpr u32 kMostPlaces = 2;

class Sleeper {
 public:
  explicit Sleeper(Parking& parking) : places_{{&parking}}, count_(1) {}
  Sleeper(Parking& first, Parking& second) : places_{{&first}, {&second}}, count_(2) {}
  ~Sleeper() { leave(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // Sleeps. A deadline may pass at any moment.
  template <class MaySleep>
  bool sleep(bool has_deadline, MaySleep&& may_sleep) {
    enter();
    mutex_.lock($);
    bool in_time = true;
    while (in_time && !notified_ && may_sleep()) in_time = block(has_deadline);
    if (in_time) notified_ = false;
    mutex_.unlock($);
    return in_time;
  }

  void leave() {
    if (!entered_) return;
    entered_ = false;
    for (u32 k = 0; k < count_; k++) {
      Place& place = places_[k];
      Parking& parking = *place.parking;
      parking.mutex.lock($);
      (place.previous ? place.previous->next : parking.first) = place.next;
      (place.next ? place.next->previous : parking.last) = place.previous;
      parking.mutex.unlock($);
    }
  }

  void notify() {
    mutex_.lock($);
    notified_ = true;
    mutex_.unlock($);
    condition_.notify_one();
  }

 private:
  void enter() {
    if (entered_) return;
    entered_ = true;
    for (u32 k = 0; k < count_; k++) {
      Place& place = places_[k];
      Parking& parking = *place.parking;
      place.sleeper = this;
      parking.mutex.lock($);
      place.previous = parking.last;
      (parking.last ? parking.last->next : parking.first) = &place;
      parking.last = &place;
      parking.mutex.unlock($);
    }
  }

  bool block(bool has_deadline) {
    if (has_deadline) return condition_.wait_for_a_time(mutex_) || notified_;
    condition_.wait(mutex_);
    return true;
  }

  Place places_[kMostPlaces];
  const u32 count_;
  rl::mutex mutex_;
  Condition condition_{!searching && rl::rand(2) == 0};
  bool notified_ = false;
  bool entered_ = false;
};

inline void Parking::unpark(u32 most) {
  mutex.lock($);
  for (Place* place = first; place && most > 0; place = place->next, most--) place->sleeper->notify();
  mutex.unlock($);
}

// The Parker of core/wait.h. It does not spin, as a try that succeeds while spinning is the same as
// a call that does not wait.
class Parker {
 public:
  explicit Parker(Parking& parking, bool has_deadline = false) : sleeper_(parking), has_deadline_(has_deadline) {}
  Parker(Parking& first, Parking& second, bool has_deadline = false) : sleeper_(first, second), has_deadline_(has_deadline) {}

  bool pause() { return false; }
  bool stopped() const { return false; }

  // Sleeps. With `briefly` it may also wake by itself after a while.
  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep, bool briefly = false) {
    if (!sleeper_.sleep(has_deadline_ || briefly, may_sleep)) return briefly && !has_deadline_ ? Status::ok : Status::timeout;
    slept_ = true;
    return Status::ok;
  }

  void leave() { sleeper_.leave(); }
  bool slept() const { return slept_; }

 private:
  Sleeper sleeper_;
  const bool has_deadline_;
  bool slept_ = false;
};

// The event loops of a model, by number. A loop hears a ring when it runs next, and may hear
// several rings as one.
class Loops {
 public:
  void ring(u32 loop) {
    Loop& rung = of(loop);
    rung.mutex.lock($);
    rung.rung = true;
    rung.mutex.unlock($);
    rung.heard.notify_one();
  }

  // Waits until the loop is rung. Returns false if its deadline passes, which may happen at any
  // moment.
  bool wait(u32 loop, bool has_deadline) {
    Loop& waits = of(loop);
    waits.mutex.lock($);
    bool in_time = true;
    while (in_time && !waits.rung) in_time = hear(waits, has_deadline);
    waits.rung = false;
    waits.mutex.unlock($);
    return in_time;
  }

  // The loops' numbers. The bits of the first and the third lie in one word, that of the second in
  // another.
  static constexpr u32 kNumbers[] = {0, 64, 1};

 private:
  struct Loop {
    rl::mutex mutex;
    Condition heard{false};
    bool rung = false;
  };

  Loop& of(u32 number) {
    const auto* const found = std::ranges::find(kNumbers, number);
    RL_ASSERT(found != std::end(kNumbers));
    return loops_[found - kNumbers];
  }

  static bool hear(Loop& loop, bool has_deadline) {
    if (has_deadline) return loop.heard.wait_for_a_time(loop.mutex);
    loop.heard.wait(loop.mutex);
    return true;
  }

  Loop loops_[std::size(kNumbers)];
};

// A thread's waker. It may be preempted between the permit and the unpark, and between taking a
// loop's bit and the ring. Any loop may seem idle, as idleness may be outdated at once.
struct Waker {
  Parking& parking;
  Loops* loops = nullptr;
  void unpark(const WaitList&, u32 most) {
    delay();
    parking.unpark(most);
  }
  void ring(u32 loop, const WaitList&) {
    RL_ASSERT(loops);
    delay();
    loops->ring(loop);
  }
  bool is_idle(u32) { return rl::rand(2) == 0; }
};

// The waker of a signal handler, whose thread may also be preempted before the note.
struct HandlerWaker {
  DeferredUnparks& unparks;
  bool& noted;
  void unpark(const WaitList& list, u32 most) {
    delay();
    unparks.note(list, most);
    noted = true;
  }
  void ring(u32, const WaitList&) { RL_ASSERT(!"no loop has announced itself"); }
  bool is_idle(u32) { return false; }
};

// The Wake of a thread, for an object with one list. `loops` may be null if no loop waits there.
struct ThreadWake {
  void one(WaitList& list) {
    Waker waker{*parking, loops};
    wake_one(list, waker);
  }
  void all(WaitList& list) {
    Waker waker{*parking, loops};
    wake_all(list, waker);
  }

  Parking* parking;
  Loops* loops = nullptr;
};

// The Wake of a signal handler, for an object of any kind.
struct HandlerWake {
  void one(WaitList& list) { wake_one(list, waker); }
  void all(WaitList& list) { wake_all(list, waker); }

  HandlerWaker waker;
};

// Waits until that many threads are announced in the list.
inline void until_announced(const WaitList& list, u32 threads) {
  while (threads_in(list.state.load(memory_order_seq_cst)) < threads) rl::yield(1, $);
}

// The helper thread, which serves the other threads of a model until all have finished. It sleeps
// while nobody calls it, so a lost wake is a deadlock.
class Helper {
 public:
  void call() {
    mutex_.lock($);
    called_ = true;
    mutex_.unlock($);
    condition_.notify_one();
  }

  void one_has_finished() {
    mutex_.lock($);
    finished_++;
    mutex_.unlock($);
    condition_.notify_one();
  }

  template <class Work>
  void serve(u32 others, Work&& work) {
    for (;;) {
      mutex_.lock($);
      while (!called_ && finished_ < others) condition_.wait(mutex_);
      const bool called = called_;
      called_ = false;
      mutex_.unlock($);
      if (!called) return;
      delay();
      work();
    }
  }

 private:
  rl::mutex mutex_;
  Condition condition_{false};
  bool called_ = false;
  u32 finished_ = 0;
};

}  // namespace threadsafe::model
