// A child of fork(2) that goes on without exec: the helper and the threads of timers are not there,
// and whoever would be woken is the parent. Its handlers only pass on.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <pthread.h>

#include <atomic>

namespace threadsafe {
namespace {

// For the signal handler.
constinit std::atomic<bool> in_forked_child{false};

// 0 or the errno of what failed.
int watch_forks() {
  return pthread_atfork(nullptr, nullptr, [] { in_forked_child.store(true, std::memory_order_relaxed); });
}

}  // namespace
}  // namespace threadsafe
