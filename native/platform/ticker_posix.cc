#include <cerrno>

#include "ticker.h"

#ifdef __linux__

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <semaphore>
#include <thread>

namespace threadsafe {
namespace {

pid_t this_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

std::atomic<pid_t> thread_id{0};

void* run(void* started) {
  sigset_t ticks;
  sigfillset(&ticks);
  for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++) sigdelset(&ticks, signo);
  pthread_sigmask(SIG_SETMASK, &ticks, nullptr);
  thread_id.store(this_thread(), std::memory_order_release);
  static_cast<std::binary_semaphore*>(started)->release();
  for (;;) pause();
}

// Starts it unless it runs: 0 or errno. It stays as long as the process, asleep while no timer runs.
int start_thread() {
  static auto* const mutex = new std::mutex;
  const std::lock_guard<std::mutex> lock(*mutex);
  if (thread_id.load(std::memory_order_relaxed) != 0) return 0;
  // The new thread inherits the mask: it must not take a signal before it has set its own.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  static auto* const started = new std::binary_semaphore(0);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, run, started);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return error;
  pthread_detach(thread);
  started->acquire();
  return 0;
}

// What delete_tick_timer sends after the timer's last signal; the lower half counts.
constexpr u64 kSettledMark = u64{0x73746c64} << 32;
constexpr u64 kMarkMask = ~u64{0xffffffff};
std::atomic<u64> settled{0};

}  // namespace

int create_tick_timer(TickTimer& timer, int signo, u64 interval_ns, u64 value, bool in_this_thread) {
  if (!in_this_thread) {
    if (const int error = start_thread()) return error;
  }
  timer.thread = in_this_thread ? this_thread() : thread_id.load(std::memory_order_acquire);
  struct sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event._sigev_un._tid = timer.thread;
  event.sigev_signo = signo;
  event.sigev_value.sival_ptr = reinterpret_cast<void*>(value);
  if (timer_create(CLOCK_MONOTONIC, &event, &timer.timer) != 0) return errno;
  timespec interval{};
  interval.tv_sec = static_cast<time_t>(interval_ns / 1'000'000'000);
  interval.tv_nsec = static_cast<long>(interval_ns % 1'000'000'000);
  const itimerspec times{interval, interval};
  if (timer_settime(timer.timer, 0, &times, nullptr) == 0) return 0;
  const int error = errno;
  timer_delete(timer.timer);
  return error;
}

// A signal that is pending when its timer goes is still delivered, later. Signals of one number arrive in the order in which they were
// sent, so one more of them tells when the last tick has come. That takes microseconds; where it can't be sent or is not answered, as
// another library has taken the signal, the thread has blocked it, or the user's signals are used up, it is given up rather than waited
// for. A thread that has ended has taken its pending signals with it.
bool delete_tick_timer(TickTimer& timer, int signo, bool handler_answers) {
  timer_delete(timer.timer);
  if (!handler_answers) return false;
  static std::atomic<u32> last{0};
  const u64 mine = kSettledMark | (last.fetch_add(1, std::memory_order_relaxed) + 1);
  siginfo_t info{};
  info.si_signo = signo;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(mine);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool sent = false;
  while (settled.load(std::memory_order_acquire) != mine) {
    const int error = sent || syscall(SYS_rt_tgsigqueueinfo, getpid(), timer.thread, signo, &info) == 0 ? 0 : errno;
    sent = error == 0;
    if (error == ESRCH) return true;
    if ((error != 0 && error != EAGAIN) || std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

bool note_settled(const siginfo_t& info) {
  const u64 value = reinterpret_cast<u64>(info.si_value.sival_ptr);
  if (info.si_code != SI_QUEUE || (value & kMarkMask) != kSettledMark) return false;
  settled.store(value, std::memory_order_release);
  return true;
}

}  // namespace threadsafe

#else

namespace threadsafe {

int create_tick_timer(TickTimer&, int, u64, u64, bool) { return ENOTSUP; }
bool delete_tick_timer(TickTimer&, int, bool) { return true; }
bool note_settled(const siginfo_t&) { return false; }

}  // namespace threadsafe

#endif
