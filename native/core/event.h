// The event: a word that is set or not, and counts how often it was.
//
//     word  | times it was set : 63 | set : 1 |
//
// A waiter remembers the word with which it began to wait, and is done when the event is set, or
// was set since. So set() serves everyone who waits at that moment, even if clear() follows at
// once, before any of them has run.
#pragma once

#include "layout.h"
#include "status.h"
#include "wait.h"

namespace threadsafe {

inline constexpr u64 kSet = 1;
inline constexpr u64 kOneSetting = 2;

template <class Wake>
class Event {
 public:
  Event(EventHeader& header, Wake wake) : header_(header), wake_(wake) {}

  bool is_set() const { return word() & kSet; }

  // The word that a waiter remembers. Sequentially consistent: this is the try of wait.h.
  u64 word() const { return header_.word.load(memory_order_seq_cst); }

  static bool done(u64 began, u64 now) { return now & kSet || now != began; }

  // [signal-safe]
  void set() {
    u64 word = header_.word.load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    // A set event is exchanged for itself, so that this set() too happens before whatever sees the
    // event set.
    while (!header_.word.compare_exchange_weak(word, word & kSet ? word : (word + kOneSetting) | kSet, memory_order_seq_cst,
                                               memory_order_relaxed)) {
    }
    if (someone_waits(header_.waiters)) wake_.all(header_.waiters);
  }

  // Sequentially consistent, so that set and clear by different threads have one order.
  // [signal-safe]
  void clear() { header_.word.fetch_and(~kSet, memory_order_seq_cst); }

  // Returns ok, timeout or interrupted. It may sleep only while it is announced (no permit) and not
  // done. Both matter: a wake of an earlier setting may come late and take down this waiter's
  // announcement, and the permit of its own wake may have gone to another waiter.
  template <class Parker>
  Status wait(Parker& parker) {
    const u64 began = word();
    const auto not_yet = [&] { return !done(began, word()); };
    return threadsafe::wait(
        header_.waiters, parker, [&] { return not_yet() ? Status::empty : Status::ok; },
        [&] { return permits(header_.waiters) == 0 && not_yet(); }, [] {});
  }

 private:
  EventHeader& header_;
  Wake wake_;
};

}  // namespace threadsafe
