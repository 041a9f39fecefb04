// A child of fork(2) that goes on without exec has no helper and no timer threads, and would wake
// threads of its parent. So there our handlers only pass signals on.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <pthread.h>

#include <atomic>

namespace threadsafe {
namespace {

// Read by the signal handler. Relaxed: set in a child while its one thread is the one that forked,
// so each handler runs in that thread, or in one that was made later.
constinit std::atomic<bool> in_forked_child{false};

// Returns 0 or the errno of what failed.
int watch_forks() {
  return pthread_atfork(nullptr, nullptr, [] { in_forked_child.store(true, std::memory_order_relaxed); });
}

}  // namespace
}  // namespace threadsafe
