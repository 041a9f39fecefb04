// How a function of threadsafe.h runs: in a use of its handle. A wait ends when the handle does. Part
// of calls.cc.
#pragma once

#include <cerrno>

#include "../platform/patience.h"
#include "../platform/wakes.h"
#include "calls.h"

namespace threadsafe {
namespace {

using ThreadWake = WakeBy<ThreadWaker>;
using SignalWake = WakeBy<SignalWaker>;

// A blocking call is interrupted when its handle is, or its own isolate, which is as good as gone
// then.
threadsafe_status public_status(Status status) {
  return status == Status::interrupted ? THREADSAFE_CLOSED : static_cast<threadsafe_status>(status);
}

// -- Calls that are safe in a signal handler, and so always are: who calls can't be told. --

class KeepErrno {
 public:
  ~KeepErrno() { errno = saved_; }

 private:
  const int saved_ = errno;
};

// call(wake) in a use of the handle.
template <class Call>
threadsafe_status signal_safe(Handle& handle, Call&& call) {
  const KeepErrno keep;
  const Use use(handle.calls());
  if (!use) return THREADSAFE_CLOSED;
  bool unpark_needed = false;
  const threadsafe_status status = call(SignalWake{SignalWaker{handle.unparks(), unpark_needed}});
  if (unpark_needed) handle.unpark_later();
  return status;
}

// -- Calls that block. --

Deadline deadline_after(double milliseconds) { return milliseconds < 0 ? Deadline::never() : Deadline::after(milliseconds); }

// Waits as all threads do, but no longer than until the handle is cancelled, which wakes it. Only
// the thread of an isolate has other reasons to stop, and asks for those as well.
class CallParker {
 public:
  // `held_back`: of a put that another's priority token may hold back.
  CallParker(Handle& handle, const WaitList& list, Deadline deadline, HeldBack* held_back = nullptr)
      : handle_(handle),
        stops_(Stopping{handle.on_own_thread() ? &handle : nullptr, held_back}, intervals(handle, held_back)),
        parker_(list, deadline, stops_) {}

  void keep_off_for(u32 items) { parker_.keep_off_for(items); }
  bool pause() { return parker_.pause(); }

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    const Status status = parker_.sleep([&] { return handle_.alive() && may_sleep(); });
    return handle_.alive() ? status : Status::interrupted;
  }

  void leave() { parker_.leave(); }
  bool slept() const { return parker_.slept(); }

  // Until then it may also wait for another's copy.
  auto patience() {
    return [this, patience = Patience(stops_)]() mutable { return handle_.alive() && patience(); };
  }

 private:
  struct Stopping {
    const Handle* own;
    HeldBack* held_back;
    bool operator()() const { return (own && own->own_thread_stopping()) || (held_back && held_back->too_long()); }
  };

  static StopIntervals intervals(const Handle& handle, const HeldBack* held_back) {
    // Not never: a condition variable that waits until the end of time overflows in some libraries.
    constexpr std::chrono::hours kSeldom{1};
    StopIntervals intervals{.shortest = kSeldom, .longest = kSeldom};
    if (handle.on_own_thread()) intervals = handle.stop_intervals();
    if (held_back) {
      intervals.longest = std::min<Clock::duration>(intervals.longest, kHeldBackInterval);
      intervals.shortest = std::min(intervals.shortest, intervals.longest);
    }
    return intervals;
  }

  const Handle& handle_;
  StopCheck<Stopping> stops_;
  ThreadParker<Stopping> parker_;
};

}  // namespace
}  // namespace threadsafe
