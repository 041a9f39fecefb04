#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>

#include "helper.h"
#include "poller.h"

namespace threadsafe {
namespace {

// A pipe, since it can be written in a signal handler on every POSIX system; unnamed semaphores are
// missing on some.
int call_pipe[2] = {-1, -1};
std::atomic<bool> called{false};

// Written before the thread starts.
Poller poller;
constexpr u64 kCall = 0;

// Each is set once, before the first call that needs it.
constexpr std::size_t kWorks = 2;
constinit std::atomic<void (*)()> works[kWorks];
constinit std::atomic<void (*)(u64)> happened{nullptr};

void* run_helper(void*) {
  for (;;) {
    if (const u64 id = poller.wait(); id != kCall) {
      happened.load(std::memory_order_acquire)(id);
      continue;
    }
    char byte;
    if (read(call_pipe[0], &byte, 1) < 0 && errno != EINTR) return nullptr;
    // Cleared before the work, so that a call that comes later makes another round. A
    // read-modify-write, since the calls that were merged into this one must happen before the
    // work, and an exchange reads what the last of them wrote.
    called.exchange(false, std::memory_order_seq_cst);
    for (const auto& work : works) {
      if (const auto function = work.load(std::memory_order_acquire)) function();
    }
  }
}

int start() {
  if (pipe(call_pipe) != 0) return errno;
  for (const int end : call_pipe) fcntl(end, F_SETFD, FD_CLOEXEC);
  // Without a poller, the thread waits in read(2), for calls alone.
  if (poller.open() && !poller.add(call_pipe[0], kCall, false)) poller.close();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, run_helper, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    poller.close();
    close(call_pipe[0]);
    close(call_pipe[1]);
    return error;
  }
  pthread_detach(thread);
  return 0;
}

std::mutex& start_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

// Called under start_mutex(). Returns 0 or the errno of what failed.
int start_once() {
  static bool started = false;
  if (started) return 0;
  const int error = start();
  started = error == 0;
  return error;
}

}  // namespace

int start_helper(void (*helper_work)()) {
  const std::lock_guard<std::mutex> lock(start_mutex());
  std::size_t k = 0;
  while (works[k].load(std::memory_order_relaxed) != nullptr && works[k].load(std::memory_order_relaxed) != helper_work) k++;
  works[k].store(helper_work, std::memory_order_release);
  return start_once();
}

bool watch_descriptor(int descriptor, u64 id, void (*function)(u64 id)) {
  {
    const std::lock_guard<std::mutex> lock(start_mutex());
    happened.store(function, std::memory_order_release);
    if (start_once() != 0) return false;
  }
  return poller.add(descriptor, id, true);
}

void unwatch_descriptor(int descriptor) { poller.remove(descriptor); }

void call_helper() {
  if (called.exchange(true, std::memory_order_seq_cst)) return;
  const char byte = 0;
  while (write(call_pipe[1], &byte, 1) < 0 && errno == EINTR) {
  }
}

}  // namespace threadsafe

// Included here, as the watch is of no use without the helper.
#include "loop_watch_impl.h"
