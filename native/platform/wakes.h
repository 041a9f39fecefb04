// The two ways to wake: from a thread, and from a signal handler.
#pragma once

#include "../core/deferred.h"
#include "../core/wait.h"
#include "doorbell.h"
#include "parking.h"

namespace threadsafe {

struct ThreadWaker {
  void unpark(const WaitList& list, u32 most) { threadsafe::unpark(list, most); }
  void ring(u32 loop) { ring_doorbell(loop); }
};

// From a signal handler, which may not lock: whom to unpark is noted, for the helper thread to do.
struct SignalWaker {
  DeferredUnparks& unparks;
  bool& unpark_needed;
  void unpark(const WaitList& list, u32 most) {
    unparks.note(list, most);
    unpark_needed = true;
  }
  void ring(u32 loop) { ring_doorbell(loop); }
};

// The Wake of core/queue.h and core/event.h over a waker.
template <class Waker>
struct WakeBy {
  Waker waker;
  void one(WaitList& list) { wake_one(list, waker); }
  void all(WaitList& list) { wake_all(list, waker); }
};

}  // namespace threadsafe
