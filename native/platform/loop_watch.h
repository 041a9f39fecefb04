// How a blocked thread notices that something has happened at its own event loop, which can't run meanwhile: its isolate may be being
// stopped. Node does that by uv_async_send, which makes the loop's descriptor (uv_backend_fd) readable. The helper thread waits for that,
// each time anew, and wakes the sleeper, who then asks.
//
// Not every stop is seen. A handle that is pending already is not sent again, so what has happened before may hide it: a message and a task
// of V8's are sent by handles of their own, but a heap snapshot by the same as a stop. And a handle may be pending whose wake the loop has
// taken already, in an iteration in whose callbacks the thread is blocked. Nor does a script of node:vm whose time is up send anything. So
// a thread that is watched still asks now and then: how often, sight() tells.
#pragma once

#include <atomic>

#include "../core/layout.h"

namespace threadsafe {

class Sleeper;

inline constexpr int kNoLoop = -1;  // as uv_backend_fd returns on Windows

// For one sleeper, on its stack, and only in its thread.
class LoopWatch {
 public:
  enum class Sight {
    none,  // it does not watch: not begun, not to be had, or given up
    some,  // something has happened, and what is pending since then may hide a stop
    all,   // nothing has happened since it began
  };

  explicit LoopWatch(Sleeper& sleeper) : sleeper_(sleeper) {}
  ~LoopWatch() { end(); }
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;

  // From now on until end() the sleeper is woken when something happens at that loop, and at once if something is pending there. Nothing
  // new where it has begun; nothing at all for kNoLoop, or where it can't be had.
  void begin(int loop);
  void end();

  Sight sight() const;

  // Whether something has happened since this was last asked.
  bool take_news();

 private:
  // Where more than that happens, it is data for sockets of the loop, of which there may be any number: they are not worth a wake each.
  static constexpr u32 kMostEvents = 16;

  static void happened(u64 id);

  Sleeper& sleeper_;
  // How often. Release, and acquire where it is read: whoever asks because of it asks after what has happened.
  std::atomic<u32> events_{0};
  u32 told_ = 0;
  int loop_ = kNoLoop;
  // Under the registry's lock.
  u64 id_ = 0;
  LoopWatch* previous_ = nullptr;
  LoopWatch* next_ = nullptr;
};

}  // namespace threadsafe
