// Parking for the models: native/platform/parking.cc over Relacy's mutex and condition variables, with a bucket for each wait list, and
// without its slices of 50 ms, which would hide a lost wake. Relacy reports a thread that nobody wakes as a deadlock.
#pragma once

#include "core/status.h"
#include "core/wait.h"

namespace threadsafe::model {

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

  // With a deadline it may pass at any moment.
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
    condition_.notify_one($);
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
    if (has_deadline) return condition_.wait_for(mutex_, 0, $) || notified_;
    condition_.wait(mutex_, $);
    return true;
  }

  Place places_[kMostPlaces];
  const u32 count_;
  rl::mutex mutex_;
  rl::condition_variable condition_;
  bool notified_ = false;
  bool entered_ = false;
};

inline void Parking::unpark(u32 most) {
  mutex.lock($);
  for (Place* place = first; place && most > 0; place = place->next, most--) place->sleeper->notify();
  mutex.unlock($);
}

// The Parker of core/wait.h, which does not spin: a try that succeeds while spinning is a call that does not wait.
class Parker {
 public:
  explicit Parker(Parking& parking, bool has_deadline = false) : sleeper_(parking), has_deadline_(has_deadline) {}
  Parker(Parking& first, Parking& second, bool has_deadline = false) : sleeper_(first, second), has_deadline_(has_deadline) {}

  bool pause() { return false; }

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    if (!sleeper_.sleep(has_deadline_, may_sleep)) return Status::timeout;
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

// A Waker that knows only threads: the models have no event loops.
struct Waker {
  Parking& parking;
  void unpark(const WaitList&, u32 most) { parking.unpark(most); }
  void ring(u32) { RL_ASSERT(!"no loop has announced itself"); }
};

}  // namespace threadsafe::model
