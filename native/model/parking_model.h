// Parking for the models: native/platform/parking.cc over Relacy's mutex and condition variables, for one wait list, and without its
// slices of 50 ms, which would hide a lost wake. Relacy reports a thread that nobody wakes as a deadlock.
#pragma once

#include "core/status.h"
#include "core/wait.h"

namespace threadsafe::model {

class Sleeper;

struct Parking {
  rl::mutex mutex;
  Sleeper* first = nullptr;
  Sleeper* last = nullptr;

  void unpark(u32 most);
};

class Sleeper {
 public:
  explicit Sleeper(Parking& parking) : parking_(parking) {}
  ~Sleeper() { leave(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // With a deadline it may pass at any moment.
  template <class MaySleep>
  bool sleep(bool has_deadline, MaySleep&& may_sleep) {
    parking_.mutex.lock($);
    if (!entered_) enter();
    bool in_time = true;
    while (in_time && !notified_ && may_sleep()) in_time = block(has_deadline);
    if (in_time) notified_ = false;
    parking_.mutex.unlock($);
    return in_time;
  }

  void leave() {
    if (!entered_) return;
    parking_.mutex.lock($);
    (previous_ ? previous_->next_ : parking_.first) = next_;
    (next_ ? next_->previous_ : parking_.last) = previous_;
    entered_ = false;
    parking_.mutex.unlock($);
  }

 private:
  friend struct Parking;

  void enter() {
    previous_ = parking_.last;
    (parking_.last ? parking_.last->next_ : parking_.first) = this;
    parking_.last = this;
    entered_ = true;
  }

  bool block(bool has_deadline) {
    if (has_deadline) return condition_.wait_for(parking_.mutex, 0, $) || notified_;
    condition_.wait(parking_.mutex, $);
    return true;
  }

  Parking& parking_;
  rl::condition_variable condition_;
  bool notified_ = false;
  bool entered_ = false;
  Sleeper* previous_ = nullptr;
  Sleeper* next_ = nullptr;
};

inline void Parking::unpark(u32 most) {
  mutex.lock($);
  for (Sleeper* sleeper = first; sleeper && most > 0; sleeper = sleeper->next_, most--) {
    sleeper->notified_ = true;
    sleeper->condition_.notify_one($);
  }
  mutex.unlock($);
}

// The Parker of core/wait.h, which does not spin: a try that succeeds while spinning is a call that does not wait.
class Parker {
 public:
  explicit Parker(Parking& parking, bool has_deadline = false) : sleeper_(parking), has_deadline_(has_deadline) {}

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
