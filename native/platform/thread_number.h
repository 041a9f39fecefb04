// Numbers threads: those who put, for the priority token (core/queue.h), and who own a lock.
#pragma once

#include <atomic>

#include "../core/layout.h"
#include "process_wide.h"

namespace threadsafe {

template <u32 version>
struct THREADSAFE_PROCESS_WIDE ThreadNumbers {
  static constinit inline std::atomic<u32> last{0};
};

// Another number at each call; never 0.
inline u32 next_thread_number() {
  return ThreadNumbers<kProcessVersion>::last.fetch_add(1, std::memory_order_relaxed) + 1;  // distinct is all that they have to be
}

}  // namespace threadsafe
