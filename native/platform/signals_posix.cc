// Attaching and detaching sources: the functions that signals.h declares. The parts are in
// signals/, by what may go wrong in them: what runs in the handler (handler.h), the handlers of
// others (chain.h, passage.h, others.h), installing (install.h), libuv (libuv.h).
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "helper.h"
#include "signals.h"
#include "signals/fork.h"
#include "signals/handler.h"
#include "signals/install.h"
#include "signals/libuv.h"
#include "signals/others.h"
#include "signals/tables.h"
#include "ticker.h"

namespace threadsafe {
namespace {

// True when no tick of the source is pending any more. A pending one must find our handler, not the
// default action, which ends the process.
bool stop_ticks(Source& source) {
  struct sigaction current;
  const bool answers = sigaction(source.signo, nullptr, &current) == 0 && is_ours(current);
  return delete_tick_timer(source.timer, source.signo, answers);
}

// Takes the source out of use; afterwards nobody looks at its target any more. Called under
// attach_mutex(). `has_timer`: there may be ticks.
SourceCounts retire(u32 number, bool has_timer) {
  Source& source = sources[number];
  Signal& signal = signals[source.signo];
  const bool settled = !has_timer || stop_ticks(source);
  // Any order would do here, as `uses` says who is inside.
  signal.sources[number / 64].fetch_and(~(u64{1} << number % 64), std::memory_order_seq_cst);
  source.uses.retire(std::this_thread::yield);
  source.unparks.make(unpark);  // unparks that the handler left to the helper, which it has not made yet
  const SourceCounts counts = source_counts(number);
  // If a tick may still come, the handler stays as long as the process: without sources it only
  // passes on.
  if (settled && signal.attached.fetch_sub(1) == 1) {
    leave_handler(source.signo);
    hold_libuv(source.signo);
  }
  source.taken = false;
  return counts;
}

// Called before the first handler is installed, under attach_mutex().
int prepare() {
  static bool prepared = false;
  if (prepared) return 0;
  find_every_signal();
  const int error = watch_forks();
  prepared = error == 0;
  return error;
}

Attached attach(int signo, SignalTarget target, const TimerSettings* timer) {
  if (const int error = start_helper(helper_work)) return {0, error};
  const std::lock_guard<std::mutex> lock(attach_mutex());
  if (const int error = prepare()) return {0, error};
  u32 number = 0;
  while (number < kMaxSources && sources[number].taken) number++;
  if (number == kMaxSources) return {0, EAGAIN};
  if (const int error = install_handler(signo, signals[signo].attached.load() == 0)) return {0, error};
  Source& source = sources[number];
  source.taken = true;
  source.signo = signo;
  source.target = target;
  if (target.event) {
    source.unparks.set_lists(target.event->waiters, nullptr);
  } else if (target.record) {
    source.unparks.set_lists(target.record->changed, nullptr);
  } else {
    source.unparks.set_lists(target.queue->not_empty, &target.queue->not_full);
  }
  source.is_timer = timer != nullptr;
  source.heartbeat = timer ? timer->heartbeat : Heartbeat{};
  // Relaxed, here and below: made known by the opening of `uses`.
  source.told_beat.store(0, std::memory_order_relaxed);
  source.generation++;
  source.delivered.store(0, std::memory_order_relaxed);
  source.dropped.store(0, std::memory_order_relaxed);
  Signal& signal = signals[signo];
  signal.attached.fetch_add(1);  // see tables.h
  source.uses.open();
  // At least a release, with the handler's load: whoever sees the bit sees the source open.
  signal.sources[number / 64].fetch_or(u64{1} << number % 64, std::memory_order_seq_cst);
  hold_libuv(signo);
  if (!timer) return {number, 0};
  const int error = create_tick_timer(source.timer, signo, timer->interval_ns, tick_value(number), timer->in_this_thread);
  // There is no timer to stop. `is_timer` stays, as handlers may be reading it: as another source
  // it would be given signals that are not ticks.
  if (error != 0) retire(number, false);
  return {number, error};
}

}  // namespace

#ifdef SIGRTMIN
int first_realtime_signal() { return SIGRTMIN; }
int last_realtime_signal() { return SIGRTMAX; }
#else
int first_realtime_signal() { return 0; }
int last_realtime_signal() { return 0; }
#endif

Attached attach_signal(int signo, SignalTarget target) { return attach(signo, target, nullptr); }

Attached attach_timer(int signo, const TimerSettings& timer, SignalTarget target) { return attach(signo, target, &timer); }

void reclaim_signal(int signo) {
  const std::lock_guard<std::mutex> lock(attach_mutex());
  if (is_signal(signo) && signals[signo].attached.load() > 0) install_handler(signo);
}

void follow_libuv() { libuv_is_there.store(true); }

void libuv_will_change(int signo) {
  const std::lock_guard<std::mutex> lock(attach_mutex());
  if (!is_signal(signo)) return;
  Signal& signal = signals[signo];
  signal.covered = {};
  if (!in_use(signal)) return;  // then it does as it would without us
  know_libuv();
  sigaction(signo, nullptr, &signal.covered);
}

void libuv_has_changed(int signo, bool listens) {
  const std::lock_guard<std::mutex> lock(attach_mutex());
  if (!is_signal(signo)) return;
  signals[signo].listened = listens;
  after_libuv(signo, signals[signo].covered);
  hold_libuv(signo);
}

bool is_installed(int signo) {
  struct sigaction current;
  return sigaction(signo, nullptr, &current) == 0 && is_ours(current);
}

SourceCounts detach_source(u32 number) {
  const std::lock_guard<std::mutex> lock(attach_mutex());
  return retire(number, sources[number].is_timer);
}

SourceCounts source_counts(u32 number) {
  // Relaxed: counts, which order nothing. The last ones are read after `uses` was retired, which
  // acquires what handlers have added.
  return {sources[number].delivered.load(std::memory_order_relaxed), sources[number].dropped.load(std::memory_order_relaxed)};
}

int send_signal(int pid, int signo, bool has_value, int value) {
#ifdef __APPLE__
  (void)value;
  if (has_value) return ENOTSUP;
  return kill(pid, signo) == 0 ? 0 : errno;
#else
  (void)has_value;
  sigval payload{};
  payload.sival_int = value;
  return sigqueue(pid, signo, payload) == 0 ? 0 : errno;
#endif
}

}  // namespace threadsafe

int threadsafe_signal_in_use(int signo) { return threadsafe::is_signal(signo) && threadsafe::is_needed(signo); }

int threadsafe_signal_calls(int signo, const void* handler) {
  using namespace threadsafe;
  CallsOurs calls = CallsOurs::no;
  if (!is_signal(signo)) return 0;
  signals[signo].chain.for_each_called([&](const Previous& previous) {
    const struct sigaction& action = previous.action();
    if (address_of(action) == handler) {
      calls = CallsOurs::yes;
    } else if (calls == CallsOurs::no && !is_libuvs(action)) {
      calls = CallsOurs::perhaps;
    }
  });
  return static_cast<int>(calls);
}

void threadsafe_signal_libuv_gone(int signo) {
  if (threadsafe::is_signal(signo)) threadsafe::forget_libuvs(threadsafe::signals[signo]);
}
