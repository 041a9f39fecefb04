#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "../core/event.h"
#include "../core/queue.h"
#include "../core/slots.h"
#include "helper.h"
#include "signals.h"
#include "ticker.h"
#include "wakes.h"

namespace threadsafe {
namespace {

#ifdef NSIG
constexpr int kSignals = NSIG;
#else
constexpr int kSignals = 65;
#endif

struct Source {
  enum State : u32 { kFree, kReserved, kActive };
  std::atomic<u32> state{kFree};
  std::atomic<u32> users{0};  // handlers, and the helper thread, that look at the rest
  std::atomic<u32> delivered{0};
  std::atomic<u32> dropped{0};
  std::atomic<bool> unpark_needed{false};
  // Written while reserved, read while active.
  int signo = 0;
  SignalTarget target{};
  bool is_timer = false;
  u32 generation = 0;
  TickTimer timer{};
  Heartbeat heartbeat{};
  std::atomic<u64> told_beat{0};  // the last beat whose lateness has been told
};

// A handler that was there before ours. Never changed nor freed, since a handler of ours may be looking at it.
struct Previous {
  struct sigaction action;
  const Previous* next;
};

struct Signal {
  std::atomic<u64> sources[kMaxSources / 64];
  std::atomic<const struct sigaction*> previous{nullptr};
  // Under attach_mutex():
  const Previous* known = nullptr;  // all that ever were previous, each once: as many as the process has handlers for this signal
  u32 attached = 0;                 // sources
};

constinit Source sources[kMaxSources];
constinit Signal signals[kSignals];

// Guards attaching and detaching against each other. No handler takes it.
std::mutex& attach_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

// While one exists the source, if active, stays as it is.
class UseOfSource {
 public:
  explicit UseOfSource(Source& source) : source_(source) {
    // Sequentially consistent, with retire(): either it sees this user, or this user sees that the source is no longer active.
    source_.users.fetch_add(1, std::memory_order_seq_cst);
    active_ = source_.state.load(std::memory_order_seq_cst) == Source::kActive;
  }
  // Release: whoever sees the count fall comes after this use.
  ~UseOfSource() { source_.users.fetch_sub(1, std::memory_order_release); }
  UseOfSource(const UseOfSource&) = delete;
  UseOfSource& operator=(const UseOfSource&) = delete;
  bool active() const { return active_; }

 private:
  Source& source_;
  bool active_;
};

// A timer's signal says which source it is for: the upper half marks it as ours, then the generation, so that a late tick of a timer that
// is gone does not count for the one that has its place now.
u64 tick_mark() { return reinterpret_cast<std::uintptr_t>(sources) * 0x9e3779b97f4a7c15 & ~u64{0xffffffff}; }

u64 tick_value(u32 number) { return tick_mark() | (sources[number].generation & 0xffffff) << 8 | number; }

#ifdef SI_TIMER
bool is_our_tick(const siginfo_t& info) {
  return info.si_code == SI_TIMER && (reinterpret_cast<u64>(info.si_value.sival_ptr) & ~u64{0xffffffff}) == tick_mark();
}
#else
bool is_our_tick(const siginfo_t&) { return false; }
#endif

// A siginfo is a union: for signals that the kernel sends, such as SIGIO for a file, what would be the sender's number is something else.
bool tells_sender(int signo, int code) {
#ifdef __linux__
  constexpr int kFirstOfKernel = 0x80;  // SI_KERNEL: nothing is told
  return (code <= 0 && code != SI_SIGIO) || (signo == SIGCHLD && code < kFirstOfKernel);
#else
  (void)signo, (void)code;
  return true;
#endif
}

bool carries_value(int code) {
#ifdef __linux__
  return code < 0 && code != SI_SIGIO && code != SI_TKILL;
#else
  return code == SI_QUEUE;
#endif
}

SignalInfo describe(int signo, const siginfo_t& info) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  SignalInfo record{};
  record.signo = signo;
  record.code = info.si_code;
  record.timestamp = static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
#ifdef SI_TIMER
  if (info.si_code == SI_TIMER) {
    if (!is_our_tick(info)) record.value = info.si_value.sival_int;
#ifdef __linux__
    record.overrun = info.si_overrun;
#endif
    return record;
  }
#endif
  if (tells_sender(signo, info.si_code)) {
    record.pid = info.si_pid;
    record.uid = info.si_uid;
  }
  if (carries_value(info.si_code)) record.value = info.si_value.sival_int;
  return record;
}

// Whether a tick of that source is to be told: not while its heartbeat is young, and once for each beat that grows old. The record's value
// becomes its age. A beat of 0 is none.
bool is_late(Source& source, SignalInfo& record) {
  // Acquire: what the beating thread did before its last beat is seen by whoever gets the record.
  const u64 beat = source.heartbeat.beat->load(std::memory_order_acquire);
  if (beat == 0 || beat >= record.timestamp || record.timestamp - beat <= source.heartbeat.limit_ns) return false;
  // Only this timer's handler writes it, in one thread: it orders nothing.
  if (source.told_beat.exchange(beat, std::memory_order_relaxed) == beat) return false;
  const u64 microseconds = (record.timestamp - beat) / 1000;
  record.value = static_cast<std::int32_t>(microseconds < INT32_MAX ? microseconds : INT32_MAX);
  return true;
}

bool deliver(Source& source, const SignalInfo& record) {
  bool unpark_needed = false;
  bool delivered = true;
  const WakeBy<SignalWaker> wake{SignalWaker{unpark_needed}};
  if (source.target.event) {
    Event(*source.target.event, wake).set();
  } else {
    const StridedSlots slots(*source.target.queue, source.target.geometry);
    Queue queue(*source.target.queue, source.target.geometry, slots, wake);
    const Status status = queue.offer(sizeof record, [&](const Span& span) { slots.copy_in(span, &record); });
    delivered = status == Status::ok;
    if (status == Status::full) queue.count_dropped();
  }
  // Counts that order nothing.
  (delivered ? source.delivered : source.dropped).fetch_add(1, std::memory_order_relaxed);
  if (unpark_needed) source.unpark_needed.store(true, std::memory_order_release);
  return unpark_needed;
}

// The signals that are being passed to the handlers before ours. A handler that was installed over ours may pass them back: when ours is
// then installed over that one, each would call the other for ever. A signal is told by its siginfo, which lies on the stack of whoever
// handles it; passed back, it comes to a frame deeper in that stack. A handler that leaves by siglongjmp leaves its mark behind: the next
// signal whose siginfo has that address comes to a frame as high, and takes the mark over.
struct PassingOn {
  std::atomic<const siginfo_t*> info{nullptr};
  std::atomic<std::uintptr_t> frame{0};
};
constinit PassingOn passing_on[16];

// Relaxed, here and below: what is looked for was written by this thread, if at all.
PassingOn* mark_of(const siginfo_t* info) {
  for (PassingOn& passing : passing_on) {
    if (passing.info.load(std::memory_order_relaxed) == info) return &passing;
  }
  return nullptr;
}

// Null if all are taken: then nothing is lost but the protection against circles.
PassingOn* mark(const siginfo_t* info) {
  for (PassingOn& passing : passing_on) {
    const siginfo_t* nobody = nullptr;
    if (passing.info.compare_exchange_strong(nobody, info, std::memory_order_relaxed)) return &passing;
  }
  return nullptr;
}

// Whether there is somebody to call. The default action and "ignore" are told by sa_handler whatever the flags say, as the kernel does; it
// is one word with sa_sigaction. A handler for one time (SA_RESETHAND) relies on the default action being back when it is called: Node's
// for SIGINT and SIGTERM resets the terminal and raises the signal again, for ever if ours were still there. It stands for the default
// action, and like that is not taken while there is a source.
bool is_called(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && !(action.sa_flags & SA_RESETHAND);
}

// Not inlined, so that the machine code of the handler has its only calls through a pointer here: test/signal-safety.test.ts.
[[gnu::noinline]] void call_handler(const struct sigaction& action, int signo, siginfo_t* info, void* context) {
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction(signo, info, context);
  } else {
    action.sa_handler(signo);
  }
}

void call_previous(int signo, siginfo_t* info, void* context, PassingOn* passing, std::uintptr_t frame) {
  // Acquire: the copy was written before.
  const struct sigaction* const previous = signals[signo].previous.load(std::memory_order_acquire);
  if (!previous || !is_called(*previous)) return;
  if (!passing) passing = mark(info);
  if (passing) passing->frame.store(frame, std::memory_order_relaxed);
  call_handler(*previous, signo, info, context);
  if (passing) passing->info.store(nullptr, std::memory_order_relaxed);
}

void on_signal(int signo, siginfo_t* info, void* context) {
  if (note_settled(*info)) return;
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  PassingOn* const passing = mark_of(info);
  if (passing && frame < passing->frame.load(std::memory_order_relaxed)) return;  // passed back
  const int saved_errno = errno;
  SignalInfo record = describe(signo, *info);
  const bool tick = is_our_tick(*info);
  bool helper_needed = false;
  for (u32 word = 0; word < kMaxSources / 64; word++) {
    // Acquire, with the bit's setting: the source was filled in before. It is checked once more by the use.
    u64 bits = signals[signo].sources[word].load(std::memory_order_acquire);
    for (u32 number = word * 64; bits != 0; number++, bits >>= 1) {
      if (!(bits & 1)) continue;
      Source& source = sources[number];
      const UseOfSource use(source);
      if (!use.active() || source.signo != signo || source.is_timer != tick) continue;
      if (tick && reinterpret_cast<u64>(info->si_value.sival_ptr) != tick_value(number)) continue;
      if (source.heartbeat.beat && !is_late(source, record)) continue;  // a tick: no other source gets this record
      helper_needed |= deliver(source, record);
    }
  }
  if (helper_needed) call_helper();
  call_previous(signo, info, context, passing, frame);
  errno = saved_errno;
}

// Wakes the threads for which a handler has left permits.
void unpark_for(Source& source) {
  if (!source.unpark_needed.exchange(false, std::memory_order_acquire)) return;
  if (source.target.event) {
    unpark(source.target.event->waiters, kEverybody);
  } else {
    QueueHeader& queue = *source.target.queue;
    unpark(queue.not_empty, permits(queue.not_empty));
    unpark(queue.not_full, permits(queue.not_full));
  }
}

void helper_work() {
  for (Source& source : sources) {
    if (source.state.load(std::memory_order_relaxed) != Source::kActive) continue;  // a guess, checked by the use
    const UseOfSource use(source);
    if (use.active()) unpark_for(source);
  }
}

bool is_ours(const struct sigaction& action) { return action.sa_flags & SA_SIGINFO && action.sa_sigaction == on_signal; }

bool same(const struct sigaction& a, const struct sigaction& b) {
  if (a.sa_flags != b.sa_flags) return false;
  for (int signo = 1; signo < kSignals; signo++) {
    if (sigismember(&a.sa_mask, signo) != sigismember(&b.sa_mask, signo)) return false;
  }
  return a.sa_flags & SA_SIGINFO ? a.sa_sigaction == b.sa_sigaction : a.sa_handler == b.sa_handler;
}

// Remembers the handler to call after ours.
void remember_previous(Signal& signal, const struct sigaction& action) {
  const Previous* known = signal.known;
  while (known && !same(known->action, action)) known = known->next;
  if (!known) known = signal.known = new Previous{action, signal.known};
  // Release: a handler that sees it sees the copy.
  signal.previous.store(&known->action, std::memory_order_release);
}

int install_handler(int signo) {
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0) return errno;
  if (is_ours(current)) return 0;
  // Before ours is installed, so that its first signal finds it.
  remember_previous(signals[signo], current);
  struct sigaction ours{};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  return sigaction(signo, &ours, nullptr) == 0 ? 0 : errno;
}

void restore_handler(int signo) {
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0 || !is_ours(current)) return;  // replaced since: not ours to restore
  sigaction(signo, signals[signo].previous.load(std::memory_order_relaxed), nullptr);
}

// Whether no tick of the source is pending any more: one that is must find our handler, not the default action, which ends the process.
bool stop_ticks(Source& source) {
  if (!source.is_timer) return true;
  struct sigaction current;
  const bool answers = sigaction(source.signo, nullptr, &current) == 0 && is_ours(current);
  return delete_tick_timer(source.timer, source.signo, answers);
}

// Takes the source out of use: afterwards nobody looks at its target any more. Under attach_mutex().
SourceCounts retire(u32 number) {
  Source& source = sources[number];
  Signal& signal = signals[source.signo];
  const bool settled = stop_ticks(source);
  signal.sources[number / 64].fetch_and(~(u64{1} << number % 64), std::memory_order_seq_cst);
  source.state.store(Source::kReserved, std::memory_order_seq_cst);
  while (source.users.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  unpark_for(source);  // what the handler has left to the helper, and it did not come to
  const SourceCounts counts = source_counts(number);
  // Where a tick may still come, the handler stays, for as long as the process: without sources it does nothing.
  if (settled && --signal.attached == 0) restore_handler(source.signo);
  source.state.store(Source::kFree, std::memory_order_release);
  return counts;
}

Attached attach(int signo, SignalTarget target, const TimerSettings* timer) {
  if (const int error = start_helper(helper_work)) return {0, error};
  const std::lock_guard<std::mutex> lock(attach_mutex());
  u32 number = 0;
  while (number < kMaxSources && sources[number].state.load(std::memory_order_relaxed) != Source::kFree) number++;
  if (number == kMaxSources) return {0, EAGAIN};
  if (const int error = install_handler(signo)) return {0, error};
  Source& source = sources[number];
  source.signo = signo;
  source.target = target;
  source.is_timer = timer != nullptr;
  source.heartbeat = timer ? timer->heartbeat : Heartbeat{};
  source.told_beat.store(0, std::memory_order_relaxed);
  source.generation++;
  source.delivered.store(0, std::memory_order_relaxed);
  source.dropped.store(0, std::memory_order_relaxed);
  Signal& signal = signals[signo];
  signal.attached++;
  source.state.store(Source::kActive, std::memory_order_seq_cst);
  signal.sources[number / 64].fetch_or(u64{1} << number % 64, std::memory_order_seq_cst);
  if (!timer) return {number, 0};
  const int error = create_tick_timer(source.timer, signo, timer->interval_ns, tick_value(number), timer->in_this_thread);
  if (error != 0) {
    source.is_timer = false;  // there is none to stop
    retire(number);
  }
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
  if (signo > 0 && signo < kSignals && signals[signo].attached > 0) install_handler(signo);
}

SourceCounts detach_source(u32 number) {
  const std::lock_guard<std::mutex> lock(attach_mutex());
  return retire(number);
}

SourceCounts source_counts(u32 number) {
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
