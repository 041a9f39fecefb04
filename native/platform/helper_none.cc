// Windows: no signal handlers, so whoever would call the helper may do its work.
#include <atomic>

#include "helper.h"

namespace threadsafe {
namespace {

// Release and acquire: what the function needs was set up before. Set before the first call.
constinit std::atomic<void (*)()> work{nullptr};

}  // namespace

int start_helper(void (*helper_work)()) {
  work.store(helper_work, std::memory_order_release);
  return 0;
}

void call_helper() { work.load(std::memory_order_acquire)(); }

bool watch_descriptor(int, u64, void (*)(u64)) { return false; }
void unwatch_descriptor(int) {}

}  // namespace threadsafe

// Included here, as the watch is of no use without the helper.
#include "loop_watch_impl.h"
