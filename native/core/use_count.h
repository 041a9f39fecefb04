// Counts users in and out of something that can be taken away: a doorbell, a signal source, a
// handle of native code. Users come from any thread and any signal handler, and must find it whole
// or not at all.
//
//     enter    false if it is not open; else count in. While this user is counted in, the thing stays
//     leave    count out
//     open     its owner has filled it in
//     close    nobody enters from now on
//     retire   close; wait until nobody is counted in. Afterwards the owner alone has the thing, and may open it again
//
//     word  | open : 1 | users : 31 |
//
//     open    set by open(), cleared by close()
//     users   raised by enter(), lowered by leave()
//
// Why nobody uses what has been retired. All of this is one word, so its changes have one order. If
// a user counts in before the close, the owner, who looks after the close, sees it until it has
// left. If it counts in after the close, the very step that counts it in says that the thing is
// closed, and it touches nothing but the count.
//
// Why the thing is whole. enter() acquires what open() has released, and the owner acquires what
// each leave() has released: the read-modify-writes that come in between continue those releases,
// as all changes of the word are read-modify-writes.
//
// enter() and leave() never wait, so a signal handler may call them. The owner waits for users, and
// never the other way round; a handler that strikes the waiting thread has left before that thread
// goes on. Users must not wait for the owner either.
#pragma once

#include <cstdint>

#include "atomic.h"

namespace threadsafe {

class UseCount {
 public:
  constexpr UseCount() = default;
  UseCount(const UseCount&) = delete;
  UseCount& operator=(const UseCount&) = delete;

  // Release: whoever enters sees what the owner has written before.
  void open() { word_.fetch_or(kOpen, memory_order_release); }

  // [signal-safe] If true, leave() must follow.
  bool enter() {
    // Looks first, since users that keep trying on something closed would keep its owner waiting.
    // Relaxed, as the step below decides.
    if (!(word_.load(memory_order_relaxed) & kOpen)) return false;
    if (word_.fetch_add(1, memory_order_acquire) & kOpen) return true;
    leave();
    return false;
  }

  // [signal-safe] Release: the owner, who sees the count fall, comes after this use. (The sum wraps
  // around: it takes off one.)
  void leave() { word_.fetch_add(~std::uint32_t{0}, memory_order_release); }

  // [signal-safe] Relaxed: the close orders nothing. An owner may do more between close() and
  // retire(), such as waking users that sleep.
  void close() { word_.fetch_and(~kOpen, memory_order_relaxed); }

  // pause() is called until nobody is counted in. Acquire: see leave().
  template <class Pause>
  void retire(Pause&& pause) {
    close();
    while (word_.load(memory_order_acquire) & ~kOpen) pause();
  }

  // For users who are counted in, says whether it is being retired; for others it is a hint.
  // Relaxed: the close orders nothing, so there is nothing to learn besides.
  bool is_open() const { return word_.load(memory_order_relaxed) & kOpen; }

 private:
  static constexpr std::uint32_t kOpen = std::uint32_t{1} << 31;

  Atomic<std::uint32_t> word_{};
};

// One use, for as long as this lives; converts to false if there is nothing to use.
class Use {
 public:
  explicit Use(UseCount& count) : count_(count), entered_(count.enter()) {}
  ~Use() {
    if (entered_) count_.leave();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  explicit operator bool() const { return entered_; }

 private:
  UseCount& count_;
  const bool entered_;
};

}  // namespace threadsafe
