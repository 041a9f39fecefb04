// The life of a handle of native code. Calls may come from any thread and any signal handler. They
// are kept apart from the end of the isolate that opened the handle, which may take the memory
// away, and from close(), which takes the handle itself.
//
//     a call     enter; do it; leave
//     cancel     close; unpark those that sleep in a call
//     the end    cancel; retire; only then let the memory go
//
// core/use_count.h does that. Cancel wakes every call that is inside, so the wait is short. A
// handle has owners: whoever opened it, until close; the isolate, until its end or until it notices
// the close; and the helper thread, while the handle is on its list. The last one deletes it.
#pragma once

#include <atomic>
#include <thread>

#include "../core/deferred.h"
#include "../core/use_count.h"
#include "../include/threadsafe.h"
#include "../platform/doorbell.h"
#include "../platform/parking.h"

namespace threadsafe {

// The isolate that opened a handle, as far as calls need it.
struct Opener {
  void* environment;
  bool (*stopping)(void* environment);  // only on its own thread
  std::thread::id thread;
  u32 thread_number;               // for puts of its own thread, see Putter in core/queue.h; and what it owns
  u32 doorbell;                    // is rung when a handle is closed
  StopIntervals stop_intervals{};  // between the questions whether it is stopping
};

class Handle {
 public:
  // `second` is null for objects with one wait list.
  Handle(const Opener& opener, const WaitList& first, const WaitList* second) : opener_(opener) {
    unparks_.set_lists(first, second);
    calls_.open();
  }
  virtual ~Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // Every call is a use of this: while it lasts, the memory stays.
  UseCount& calls() { return calls_; }

  // True until it is cancelled.
  bool alive() const { return calls_.is_open(); }

  // True for a call of the opener's own thread. Any other call is stopped by cancel() alone.
  bool on_own_thread() const { return std::this_thread::get_id() == opener_.thread; }
  bool own_thread_stopping() const { return opener_.stopping(opener_.environment); }
  const StopIntervals& stop_intervals() const { return opener_.stop_intervals; }
  u32 putter() const;

  // Leaves unparks to the helper thread: note them in unparks(), then call unpark_later(). Within a
  // call. [signal-safe]
  DeferredUnparks& unparks() { return unparks_; }
  void unpark_later();

  void cancel();

  // For the one who opened it: cancels, and gives up its ownership.
  void close();

  // For the isolate: whether it has been closed (acquire, with the release in close()); and the end
  // of its own ownership, after which the memory may go.
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  void end();

 private:
  friend int start_unparking();
  static void unpark_listed();

  void disown();

  const Opener opener_;
  DeferredUnparks unparks_;
  std::atomic<u32> owners_{2};
  std::atomic<bool> closed_{false};
  std::atomic<bool> listed_{false};  // for the helper thread
  Handle* next_listed_ = nullptr;
  alignas(kLine) UseCount calls_;  // written by every call, where the rest is only read
};

// Starts what unpark_later() needs; call it before the first handle. Returns 0 or the errno of what
// failed.
int start_unparking();

}  // namespace threadsafe
