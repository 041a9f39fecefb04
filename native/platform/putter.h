// Numbers those who wait to put, for the priority token; see core/queue.h.
#pragma once

#include <atomic>

#include "../core/layout.h"
#include "process_wide.h"

namespace threadsafe {

template <u32 version>
struct THREADSAFE_PROCESS_WIDE Putters {
  static constinit inline std::atomic<u32> last{0};
};

// Another number at each call; never 0.
inline u32 next_putter() {
  return Putters<kProcessVersion>::last.fetch_add(1, std::memory_order_relaxed) + 1;  // distinct is all that they have to be
}

}  // namespace threadsafe
