#include <cerrno>

#include "ticker.h"

#ifdef __linux__

#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace threadsafe {
namespace {

// glibc has no name for this field.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

pid_t this_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// A thread, and how it is told what to do.
struct Ticker {
  int signo;
  u32 timers;
  pthread_t thread;
  std::atomic<pid_t> id;  // relaxed: `started` orders it
  sem_t started;
  sem_t over;
};

// By the signal's number, under tickers_mutex().
constinit Ticker tickers[NSIG]{};

std::mutex& tickers_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

void wait_for(sem_t& semaphore) {
  while (sem_wait(&semaphore) != 0) {  // a handler has run
  }
}

void* run_ticker(void* data) {
  Ticker& ticker = *static_cast<Ticker*>(data);
  ticker.id.store(this_thread(), std::memory_order_relaxed);
  // The thread has begun with all signals blocked.
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, ticker.signo);
  pthread_sigmask(SIG_UNBLOCK, &own, nullptr);
  sem_post(&ticker.started);
  wait_for(ticker.over);
  // A pending tick goes away with the thread.
  pthread_sigmask(SIG_BLOCK, &own, nullptr);
  return nullptr;
}

// Begins one more timer of that signal. Returns 0 or errno.
int start_ticker(int signo, pid_t& thread) {
  const std::lock_guard<std::mutex> lock(tickers_mutex());
  Ticker& ticker = tickers[signo];
  if (ticker.timers == 0) {
    ticker.signo = signo;
    sem_init(&ticker.started, 0, 0);
    sem_init(&ticker.over, 0, 0);
    // The new thread inherits the mask: it must not take a signal before it has set its own.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int error = pthread_create(&ticker.thread, nullptr, run_ticker, &ticker);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) return error;
    wait_for(ticker.started);
  }
  ticker.timers++;
  thread = ticker.id.load(std::memory_order_relaxed);
  return 0;
}

// Ends one timer of that signal. After the last, none of its ticks is pending.
void end_ticker(int signo) {
  const std::lock_guard<std::mutex> lock(tickers_mutex());
  Ticker& ticker = tickers[signo];
  if (--ticker.timers > 0) return;
  sem_post(&ticker.over);
  pthread_join(ticker.thread, nullptr);
}

// The value that delete_tick_timer sends after the timer's last signal; the lower half counts.
constexpr u64 kSettledMark = u64{0x73746c64} << 32;
constexpr u64 kMarkMask = ~u64{0xffffffff};
std::atomic<u64> settled{0};

}  // namespace

int create_tick_timer(TickTimer& timer, int signo, u64 interval_ns, u64 value, bool in_this_thread) {
  timer.in_this_thread = in_this_thread;
  if (in_this_thread) {
    timer.thread = this_thread();
  } else if (const int error = start_ticker(signo, timer.thread)) {
    return error;
  }
  struct sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_notify_thread_id = timer.thread;
  event.sigev_signo = signo;
  event.sigev_value.sival_ptr = reinterpret_cast<void*>(value);
  int error = 0;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer.timer) != 0) {
    error = errno;
  } else {
    timespec interval{};
    interval.tv_sec = static_cast<time_t>(interval_ns / 1'000'000'000);
    interval.tv_nsec = static_cast<long>(interval_ns % 1'000'000'000);
    const itimerspec times{interval, interval};
    if (timer_settime(timer.timer, 0, &times, nullptr) == 0) return 0;
    error = errno;
    timer_delete(timer.timer);
  }
  if (!in_this_thread) end_ticker(signo);
  return error;
}

// A signal that is pending when its timer is deleted is still delivered later. In a thread of ours
// the last one goes away with the thread; while that has other timers, the handler is in place
// anyway. A thread of others is sent one more signal. Signals of one number arrive in the order in
// which they were sent, so this one shows that the last tick has come. That takes microseconds. It
// may not be sent or arrive: another library has taken the signal, the thread has blocked it, or
// the user's quota of signals is used up. Then this gives up rather than wait. A thread that has
// ended has taken its pending signals with it.
bool delete_tick_timer(TickTimer& timer, int signo, bool handler_answers) {
  timer_delete(timer.timer);
  if (!timer.in_this_thread) {
    end_ticker(signo);
    return true;
  }
  if (!handler_answers) return false;
  static std::atomic<u32> last{0};  // relaxed: another number each time
  const u64 mine = kSettledMark | (last.fetch_add(1, std::memory_order_relaxed) + 1);
  siginfo_t info{};
  info.si_signo = signo;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(mine);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool sent = false;
  // Acquire, with the handler's release: what that thread's ticks have done is done.
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
