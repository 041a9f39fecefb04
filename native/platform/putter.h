// Names those who wait to put, where they take turns; see core/queue.h.
#pragma once

#include <atomic>

#include "../core/layout.h"

namespace threadsafe {

// Another number at each call; never 0.
inline u32 next_putter() {
  static constinit std::atomic<u32> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // distinct is all that they have to be
}

}  // namespace threadsafe
