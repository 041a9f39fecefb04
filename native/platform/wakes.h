// The two ways to wake: from a thread, and from a signal handler.
#pragma once

#include "../core/deferred.h"
#include "../core/wait.h"
#include "doorbell.h"
#include "parking.h"

namespace threadsafe {

struct ThreadWaker {
  void unpark(const WaitList& list, u32 most) { threadsafe::unpark(list, most); }
  void ring(u32 loop, const WaitList& list) { ring_doorbell(loop, &list); }
  bool is_idle(u32 loop) { return is_loop_idle(loop); }
};

// Wakes from a signal handler, which may not lock: it notes whom the helper thread is to unpark. It
// can't ask whether a loop is idle, so it rings all.
struct SignalWaker {
  DeferredUnparks& unparks;
  bool& unpark_needed;
  void unpark(const WaitList& list, u32 most) {
    unparks.note(list, most);
    unpark_needed = true;
  }
  void ring(u32 loop, const WaitList& list) { ring_doorbell(loop, &list); }
  bool is_idle(u32) { return false; }
};

// The Wake of core/queue.h and core/event.h over a waker.
template <class Waker>
struct WakeBy {
  Waker waker;
  void one(WaitList& list) { wake_one(list, waker); }
  void all(WaitList& list) { wake_all(list, waker); }
};

}  // namespace threadsafe
