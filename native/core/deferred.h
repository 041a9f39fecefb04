// Unparks that are left to the helper thread by callers that may not take the locks of an unpark:
// signal handlers, and the calls of threadsafe.h that are safe there.
//
// The number to unpark is the one that was decided with the permits ("Why an unpark may come late"
// in wait.h). It is carried here, and never read again from the list: by the time of the unpark,
// waiters that came round by themselves may have taken permits, and what is left no longer says how
// many sleepers to wake.
#pragma once

#include "wait.h"

namespace threadsafe {

class DeferredUnparks {
 public:
  // Sets the lists of one object, of which `second` may be null. Call it before the first note().
  // They are only addresses here.
  void set_lists(const WaitList& first, const WaitList* second) {
    lists_[0] = &first;
    lists_[1] = second;
  }

  // Notes that the first `most` sleepers of that list are to be unparked. Of several notes the
  // largest counts, as it includes the others. [signal-safe]
  void note(const WaitList& list, u32 most) {
    Atomic<u32>& noted = most_[&list == lists_[0] ? 0 : 1];
    u32 before = noted.load(memory_order_relaxed);  // a guess, checked by the compare-exchange
    // Release, and a read-modify-write even where it changes nothing: an unpark that takes this
    // note happens after the change that it is about, so a sleeper that comes too late for the
    // unpark sees the change.
    while (!noted.compare_exchange_weak(before, before < most ? most : before, memory_order_release, memory_order_relaxed)) {
    }
  }

  // Makes the unparks that were noted: unpark(list, most).
  template <class Unpark>
  void make(Unpark&& unpark) {
    for (u32 k = 0; k < kLists; k++) {
      // Acquire: see note().
      if (const u32 most = most_[k].exchange(0, memory_order_acquire)) unpark(*lists_[k], most);
    }
  }

  template <class Visit>
  void each_list(Visit&& visit) const {
    for (const WaitList* const list : lists_) {
      if (list) visit(*list);
    }
  }

 private:
  static constexpr u32 kLists = 2;

  const WaitList* lists_[kLists] = {};
  Atomic<u32> most_[kLists] = {};
};

}  // namespace threadsafe
