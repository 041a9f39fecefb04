// Lets a blocked thread notice that something has happened at its own event loop, which can't run
// meanwhile: somebody may be stopping its isolate. Node does that by uv_async_send, which makes the
// loop's descriptor (uv_backend_fd) readable. The helper thread waits for that, each time anew, and
// wakes the sleeper, who then asks.
//
// Not every stop is seen. A handle that is pending already is not sent again, so an earlier event
// may hide a stop: messages and V8's tasks have handles of their own, but a heap snapshot uses the
// same one as a stop. And if the thread is blocked in a callback of the loop, the loop may already
// have taken the wake of a handle that is still pending. Nor does a script of node:vm whose time is
// up send anything. So a thread that is watched still asks now and then; sight() says how often.
#pragma once

#include <atomic>

#include "../core/layout.h"

namespace threadsafe {

class Sleeper;

inline constexpr int kNoLoop = -1;  // as uv_backend_fd returns on Windows

// A watch for one sleeper. It lives on the sleeper's stack, and is used only in its thread.
class LoopWatch {
 public:
  enum class Sight {
    none,  // it does not watch: it has not begun, is not possible, or has given up
    some,  // something has happened, and what is pending since then may hide a stop
    all,   // nothing has happened since it began
  };

  explicit LoopWatch(Sleeper& sleeper) : sleeper_(sleeper) {}
  ~LoopWatch() { end(); }
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;

  // From now on until end(), wakes the sleeper when something happens at that loop, and at once if
  // something is pending there. Does nothing if it has begun already, for kNoLoop, or where
  // watching is not possible.
  void begin(int loop);
  void end();

  Sight sight() const;

  // Returns whether something has happened since this was last asked.
  bool take_news();

 private:
  // More events than that are data for sockets of the loop. There may be any number of those, and
  // they are not worth a wake each.
  static constexpr u32 kMostEvents = 16;

  static void happened(u64 id);

  Sleeper& sleeper_;
  // The number of events. Release, and acquire where it is read, so that whoever asks because of an
  // event asks after it has happened.
  std::atomic<u32> events_{0};
  u32 told_ = 0;
  int loop_ = kNoLoop;
  // Under the registry's lock.
  u64 id_ = 0;
  LoopWatch* previous_ = nullptr;
  LoopWatch* next_ = nullptr;
};

}  // namespace threadsafe
