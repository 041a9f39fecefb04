#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "../core/event.h"
#include "../core/queue.h"
#include "../core/slots.h"
#include "helper.h"
#include "signal_chain.h"
#include "signals.h"
#include "ticker.h"
#include "wakes.h"

// What copies of this package in one process ask and tell each other: whether this one's handler is needed for that signal; whether it
// calls that one of others (0: no, 1: whoever it calls may, 2: yes); that libuv does not listen to that signal any more. Names and meanings
// are for good.
extern "C" {
[[gnu::visibility("default")]] int threadsafe_signal_in_use(int signo);
[[gnu::visibility("default")]] int threadsafe_signal_calls(int signo, const void* handler);
[[gnu::visibility("default")]] void threadsafe_signal_libuv_gone(int signo);
}

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
  DeferredUnparks unparks{};  // left to the helper thread by handlers
  // Written while reserved, read while active.
  int signo = 0;
  SignalTarget target{};
  bool is_timer = false;
  u32 generation = 0;
  TickTimer timer{};
  Heartbeat heartbeat{};
  std::atomic<u64> told_beat{0};  // the last beat whose lateness has been told
};

struct Signal {
  std::atomic<u64> sources[kMaxSources / 64];
  Chain chain;
  // Written under attach_mutex():
  std::atomic<u32> attached{0};    // sources
  std::atomic<bool> stays{false};  // without sources as well, on behalf of those before it
  bool was_installed = false;      // ever
  std::atomic<bool> is_out{true};  // nobody calls ours
  Previous* replaced = nullptr;    // what it has last replaced, if that is called; else it is this:
  struct sigaction uncalled{};
  struct sigaction covered{};   // what was there when libuv was going to change it
  bool listened = false;        // by process.on()
  uv_signal_t* hold = nullptr;  // see hold_libuv()
  bool is_held = false;
};

bool is_signal(int signo) { return signo > 0 && signo < kSignals; }

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
  const WakeBy<SignalWaker> wake{SignalWaker{source.unparks, unpark_needed}};
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
  return unpark_needed;
}

// Set in a child of fork(2) that goes on without exec: the helper and the timers' threads are not there, and whoever would be woken is the
// parent. Its handlers only pass on.
constinit std::atomic<bool> in_forked_child{false};

bool is_ours(const struct sigaction& action);

// Not inlined, so that the machine code of the handler has its only calls through a pointer here: test/signal-safety.test.ts.
[[gnu::noinline]] void call_handler(const struct sigaction& action, int signo, siginfo_t* info, void* context) {
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction(signo, info, context);
  } else {
    action.sa_handler(signo);
  }
}

// What a handler of ours was called with.
struct Call {
  int signo;
  siginfo_t* info;
  ucontext_t* context;  // null if it was called by a handler that does not pass it on
  std::uintptr_t frame;
  bool below_kernels;  // see lies_below_kernels()
  SignalMask blocked;  // to be left blocked by whoever is called: when the kernel calls, what it has interrupted had that blocked
};

// Passes the signal on to those before ours that are left. Nothing of ours is half done any more, so that a handler may strike and leave by
// siglongjmp. Answers whether it has changed the mask, which was every_signal.
bool pass_on(const Call& call, const PlaceOfWord& word, bool is_named, const Passage& began) {
  const Chain& chain = signals[call.signo].chain;
  Passage passage = began;
  const Previous* previous = chain.next(passage, began.running, progress_of(word.read()));
  if (!previous) return false;
  Inside inside(call.signo, call.frame);
  // A call that makes up all that it passes on may be one of a circle.
  if (!is_named && !call.below_kernels && inside.too_deep()) return false;
  SharedPassage shared(word.read());
  bool mask_known = true;
  bool mask_changed = false;
  for (; previous; previous = chain.next(passage, began.running, progress_of(word.read()))) {
    if (passage.called & previous->bit) {
      passage.recalled |= previous->bit;
    } else {
      word.write(further(word.read()));
    }
    passage.called |= previous->bit;
    passage.running = previous->bit;
    shared.write(passage);
    inside.enter(word, call.below_kernels && !is_named);
    const Installation& installation = *previous->current.load(std::memory_order_acquire);
    const SignalMask wanted = (call.blocked | installation.blocks) & every_signal;
    // libuv's handler, for one, wants all blocked, as they are. But when one has been called, nobody knows what it has left.
    if (!mask_known || wanted != every_signal) {
      block_exactly(wanted);
      mask_changed = true;
    }
    call_handler(installation.action, call.signo, call.info, call.context);
    mask_known = false;
    inside.leave();
    // One that has passed the signal back has had others called.
    Passage now;
    if (shared.read(now)) passage = now;
    passage.running = began.running;
    shared.write(passage);
  }
  return mask_changed;
}

// Whether the handler was called by the kernel, or in place of a handler which the kernel has called: what lies above its frame, whose
// canonical address this is, is then what the kernel has put there.
bool lies_below_kernels([[maybe_unused]] const void* frame, [[maybe_unused]] const siginfo_t* info, [[maybe_unused]] const void* context) {
#if defined(__linux__) && defined(__x86_64__)
  return frame == context;
#elif defined(__linux__) && defined(__aarch64__)
  return frame == info;
#else
  return false;
#endif
}

bool deliver_to_sources(int signo, const siginfo_t& info, SignalInfo& record) {
  const bool tick = is_our_tick(info);
  bool helper_needed = false;
  for (u32 word = 0; word < kMaxSources / 64; word++) {
    // Acquire, with the bit's setting: the source was filled in before. It is checked once more by the use.
    u64 bits = signals[signo].sources[word].load(std::memory_order_acquire);
    for (u32 number = word * 64; bits != 0; number++, bits >>= 1) {
      if (!(bits & 1)) continue;
      Source& source = sources[number];
      const UseOfSource use(source);
      if (!use.active() || source.signo != signo || source.is_timer != tick) continue;
      if (tick && reinterpret_cast<u64>(info.si_value.sival_ptr) != tick_value(number)) continue;
      if (source.heartbeat.beat && !is_late(source, record)) continue;  // a tick: no other source gets this record
      helper_needed |= deliver(source, record);
    }
  }
  return helper_needed;
}

constexpr siginfo_t kNothingTold{};

void on_signal(int signo, siginfo_t* told, void* context) {
  const siginfo_t& info = told ? *told : kNothingTold;
  if (note_settled(info)) return;
  const int saved_errno = errno;
  const void* const frame = __builtin_dwarf_cfa();
  Signal& signal = signals[signo];
  SignalInfo record = describe(signo, info);
  // As long as ours is at work nothing may strike it, since what strikes may call a handler that leaves by siglongjmp, and then leave a
  // slot claimed or a source in use for ever. When the kernel calls ours, everything is blocked already; but a handler over ours that ends
  // with a jump to ours looks the same from here, and has its own mask.
  const bool below_kernels = lies_below_kernels(frame, told, context);
  const SignalMask blocked = block_every_signal();
  Call call{signo, told, static_cast<ucontext_t*>(context), reinterpret_cast<std::uintptr_t>(frame), below_kernels, blocked};
  SignalWord own_word = call.context ? 0 : Inside(signo, call.frame).word();
  const PlaceOfWord place(call.context ? static_cast<void*>(&call.context->uc_link) : &own_word);
  SignalWord word = place.read();
  Passage passage{};
  const bool is_named = word & 1;
  if (!is_named) {
    word = new_word(reinterpret_cast<std::uintptr_t>(sources));  // of this copy alone, where the table of doorbells is all copies'
    place.write(word);
  }
  const bool passed_back = is_named && SharedPassage(word).read(passage);
  if (!passed_back) {
    SharedPassage(word).write(passage);
    if (!in_forked_child.load(std::memory_order_relaxed) && deliver_to_sources(signo, info, record)) call_helper();
  }
  // A handler that has called ours in its midst relies on what it has blocked. One of a copy of ours relies on nothing.
  if (call.context) call.blocked = mask_of(call.context->uc_sigmask);
  if (!below_kernels && (passed_back || !is_named)) call.blocked |= blocked;
  errno = saved_errno;
  // What ours has restored, and left, has had the signal before another copy calls ours.
  const bool ends_here = is_named && !passed_back && signal.is_out.load(std::memory_order_relaxed);
  const bool mask_changed = !ends_here && pass_on(call, place, is_named, passage);
  // When the kernel goes on with what it has interrupted, it restores that mask.
  if (!below_kernels && (mask_changed || (blocked & every_signal) != every_signal)) block_exactly(blocked);
  errno = saved_errno;
}

void helper_work() {
  for (Source& source : sources) {
    if (source.state.load(std::memory_order_relaxed) != Source::kActive) continue;  // a guess, checked by the use
    const UseOfSource use(source);
    if (use.active()) source.unparks.make(unpark);
  }
}

bool is_ours(const struct sigaction& action) { return action.sa_flags & SA_SIGINFO && action.sa_sigaction == on_signal; }

struct sigaction our_action() {
  struct sigaction ours{};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  return ours;
}

// -- Installing. All of this under attach_mutex(). --

// libuv's, once that is known: see know_libuv().
constinit std::atomic<const void*> libuv_handler{nullptr};
constinit std::atomic<bool> libuv_is_there{false};

bool is_libuvs(const struct sigaction& action) { return is_called(action) && address_of(action) == libuv_handler.load(); }

bool in_use(const Signal& signal) { return signal.attached.load() > 0 || signal.stays.load(); }

// What another copy of this package exports under that name, if that is a handler of its; else null.
template <class Function>
Function* ask_copy(const struct sigaction& action, Function*, const char* name) {
  Dl_info library;
  if (!is_called(action) || dladdr(address_of(action), &library) == 0) return nullptr;
  void* const handle = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (!handle) return nullptr;
  auto* const function = reinterpret_cast<Function*>(dlsym(handle, name));
  dlclose(handle);  // its handler is installed, so it stays
  return function;
}

bool is_copy(const struct sigaction& action) { return ask_copy(action, &threadsafe_signal_calls, "threadsafe_signal_calls") != nullptr; }

// Whether that is the handler of another copy, which has no source for the signal and nobody to pass it on for.
bool is_idle_copy(const struct sigaction& action, int signo) {
  const auto in_use_there = ask_copy(action, &threadsafe_signal_in_use, "threadsafe_signal_in_use");
  return in_use_there && !in_use_there(signo);
}

// Whether somebody has to call ours: for a source, or so that it passes signals on to others.
bool is_needed(int signo) {
  Signal& signal = signals[signo];
  if (signal.attached.load() > 0) return true;
  // Two copies may have each other to call, and nobody else.
  static thread_local bool is_asked = false;
  if (signal.is_out.load() || is_asked) return false;
  is_asked = true;
  bool needed = false;
  signal.chain.for_each_called([&](const Previous& previous) { needed = needed || !is_idle_copy(previous.current.load()->action, signo); });
  is_asked = false;
  return needed;
}

enum class CallsOurs { no, perhaps, yes };

// Whether that one passes signals on to ours. Another copy tells; of anybody else it is not known.
CallsOurs calls_ours(const struct sigaction& action, int signo) {
  const auto calls = ask_copy(action, &threadsafe_signal_calls, "threadsafe_signal_calls");
  if (!calls) return is_libuvs(action) ? CallsOurs::no : CallsOurs::perhaps;
  return static_cast<CallsOurs>(calls(signo, address_of(our_action())));
}

void forget_libuvs(Signal& signal) {
  if (Previous* const libuvs = signal.chain.find(libuv_handler.load())) libuvs->gone.store(true, std::memory_order_relaxed);
}

// What ours has replaced, or is about to: it is called from now on, after ours. Answers whether it was not called before.
bool remember(Signal& signal, int signo, const struct sigaction& action, bool begins_period = false) {
  bool is_new = false;
  if (is_called(action)) {
    const bool may_call_ours = begins_period && calls_ours(action, signo) != CallsOurs::no;
    signal.replaced = signal.chain.add(signo, action, {may_call_ours, signal.was_installed, is_copy(action)}, is_new);
  } else {
    signal.replaced = nullptr;
    signal.uncalled = action;
  }
  return is_new;
}

// `is_first`: for the first source. What has ours been used for before is over, if it is not there any more.
int install_handler(int signo, bool is_first = false) {
  Signal& signal = signals[signo];
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0) return errno;
  if (is_ours(current)) return 0;
  // Where another copy calls ours anyway, whatever ours calls has the signal.
  is_first = is_first && !(is_called(current) && calls_ours(current, signo) == CallsOurs::yes);
  if (is_first) {
    signal.chain.begin_period(signal.is_out.load());
    signal.stays = false;
    signal.replaced = nullptr;
    signal.uncalled = {};
  }
  // Before ours is installed, so that its first signal finds it. It may be another by then: what was replaced is what counts.
  const bool is_new = remember(signal, signo, current, is_first);
  Previous* const expected = signal.replaced;
  const struct sigaction ours = our_action();
  struct sigaction replaced;
  if (sigaction(signo, &ours, &replaced) != 0) return errno;
  if (!is_ours(replaced) && (is_called(replaced) != is_called(current) || address_of(replaced) != address_of(current))) {
    if (is_new && expected) expected->gone.store(true, std::memory_order_relaxed);
    remember(signal, signo, replaced, is_first);
  }
  signal.was_installed = true;
  signal.is_out = false;
  return 0;
}

// Puts that in place of ours, but not of what somebody may have installed meanwhile.
void put_back(int signo, const struct sigaction& action) {
  struct sigaction current;
  if (sigaction(signo, &action, &current) == 0 && !is_ours(current)) sigaction(signo, &current, nullptr);
}

// There is no source any more: the one handler that was there before is there again. If there are several, ours stays, for without it all
// but one would be deaf.
void leave_handler(int signo) {
  Signal& signal = signals[signo];
  signal.stays = false;
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0 || !is_ours(current)) return;  // replaced since: not ours to restore
  u32 count = 0;
  Previous* left = nullptr;
  signal.chain.for_each([&](Previous& previous) {
    if (is_idle_copy(previous.current.load()->action, signo)) return;
    count++;
    left = &previous;
  });
  if (count > 1) {
    signal.stays = true;
    return;
  }
  if (left && signal.replaced) {
    const struct sigaction& action = left->current.load()->action;
    put_back(signo, action);
    signal.chain.restored(*left);
    signal.is_out = !left->over_ours;
    if (!is_libuvs(action)) signal.uncalled = {};
  } else {
    put_back(signo, signal.uncalled);
    signal.uncalled = {};
    signal.is_out = true;
  }
}

// -- libuv. --

// An event loop that nobody runs, for handles that are there for what libuv does when they start and stop. Null if it can't be had.
uv_loop_t* quiet_loop() {
  static auto* const loop = new uv_loop_t;
  static const bool made = uv_loop_init(loop) == 0;
  return made ? loop : nullptr;
}

void hear_nothing(uv_signal_t*, int) {}

// Starting for a signal that nobody uses, and that is ignored if nobody does, is how libuv's handler is found out.
void know_libuv() {
  if (!libuv_is_there.load() || libuv_handler.load() || !quiet_loop()) return;
  static auto* const handle = new uv_signal_t;
  static const bool made = uv_signal_init(quiet_loop(), handle) == 0;
  for (const int signo : {SIGURG, SIGWINCH, SIGCHLD}) {
    struct sigaction action;
    if (sigaction(signo, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    if (!made || uv_signal_start(handle, hear_nothing, signo) != 0) return;
    if (sigaction(signo, nullptr, &action) == 0) libuv_handler.store(address_of(action));
    uv_signal_stop(handle);
    return;
  }
}

// libuv may have put its handler, or the default action, in place of what was there: everybody is in place again.
void after_libuv(int signo, const struct sigaction& covered) {
  Signal& signal = signals[signo];
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0 || is_ours(current)) return;
  // Ours was there on behalf of others, and somebody has taken it away for all of them.
  if (signal.attached.load() == 0 && !is_called(covered)) signal.stays = false;
  // The last one that listened has gone, and libuv has put the default action in place of whatever was there.
  const bool libuv_has_gone = is_called(covered) && !is_called(current);
  if (libuv_has_gone) {
    forget_libuvs(signal);
    const auto tell = [&](const struct sigaction& action) {
      if (const auto gone = ask_copy(action, &threadsafe_signal_libuv_gone, "threadsafe_signal_libuv_gone")) gone(signo);
    };
    tell(covered);
    signal.chain.for_each_called([&](const Previous& previous) { tell(previous.current.load()->action); });
  }
  // If it is neither libuv's nor the default action that is there now, and was not there before, another copy of this package has already
  // put itself there, and calls what libuv has displaced.
  const bool by_libuv = is_libuvs(current) || !is_called(current);
  if (signal.attached.load() > 0 || (signal.stays.load() && by_libuv)) {
    if (by_libuv && is_called(covered) && !is_ours(covered) && !is_libuvs(covered)) remember(signal, signo, covered);
    const struct sigaction uncalled = signal.uncalled;
    Previous* const replaced = signal.replaced;
    install_handler(signo);
    if (libuv_has_gone && !signal.replaced) {  // the default action is nobody's will but libuv's
      signal.replaced = replaced;
      signal.uncalled = uncalled;
    }
  } else if (libuv_has_gone) {
    sigaction(signo, is_libuvs(covered) || is_idle_copy(covered, signo) ? &signal.uncalled : &covered, nullptr);
  }
  if (libuv_has_gone && signal.attached.load() == 0) leave_handler(signo);
}

// Keeps libuv's handler where it is, by a handle of our own, from when libuv is at work for the signal until there are no sources:
// otherwise the last listener that goes would leave the default action behind, which may end the process, and those who have libuv's
// handler as the one before theirs would have it called twice when it comes back. For SIGCHLD always, as no event tells of its listeners,
// which are the child processes. The handle costs the handler a write to a pipe that is full, for each signal, and nobody is woken.
void hold_libuv(int signo) {
  Signal& signal = signals[signo];
  const bool at_work = libuv_is_there.load() && (signo == SIGCHLD || signal.listened || signal.is_held);
  const bool wanted = signal.attached.load() > 0 && at_work;
  if (wanted == signal.is_held) return;
  if (!signal.hold) {
    uv_loop_t* const loop = quiet_loop();
    auto* const made = new uv_signal_t;
    if (!loop || uv_signal_init(loop, made) != 0) {
      delete made;
      return;  // then it has to go without
    }
    signal.hold = made;
  }
  know_libuv();
  struct sigaction covered;
  sigaction(signo, nullptr, &covered);
  if (wanted) {
    signal.is_held = uv_signal_start(signal.hold, hear_nothing, signo) == 0;
  } else {
    uv_signal_stop(signal.hold);
    signal.is_held = false;
  }
  after_libuv(signo, covered);
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
  source.unparks.make(unpark);  // what the handler has left to the helper, and it did not come to
  const SourceCounts counts = source_counts(number);
  // Where a tick may still come, the handler stays, for as long as the process: without sources it only passes on.
  if (settled && --signal.attached == 0) {
    leave_handler(source.signo);
    hold_libuv(source.signo);
  }
  source.state.store(Source::kFree, std::memory_order_release);
  return counts;
}

// Before the first handler is installed. Under attach_mutex().
int prepare() {
  static bool prepared = false;
  if (prepared) return 0;
  find_every_signal();
  const int error = pthread_atfork(nullptr, nullptr, [] { in_forked_child.store(true, std::memory_order_relaxed); });
  prepared = error == 0;
  return error;
}

Attached attach(int signo, SignalTarget target, const TimerSettings* timer) {
  if (const int error = start_helper(helper_work)) return {0, error};
  const std::lock_guard<std::mutex> lock(attach_mutex());
  if (const int error = prepare()) return {0, error};
  u32 number = 0;
  while (number < kMaxSources && sources[number].state.load(std::memory_order_relaxed) != Source::kFree) number++;
  if (number == kMaxSources) return {0, EAGAIN};
  if (const int error = install_handler(signo, signals[signo].attached.load() == 0)) return {0, error};
  Source& source = sources[number];
  source.signo = signo;
  source.target = target;
  if (target.event) {
    source.unparks.set_lists(target.event->waiters, nullptr);
  } else {
    source.unparks.set_lists(target.queue->not_empty, &target.queue->not_full);
  }
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
  hold_libuv(signo);
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

int threadsafe_signal_in_use(int signo) { return threadsafe::is_signal(signo) && threadsafe::is_needed(signo); }

int threadsafe_signal_calls(int signo, const void* handler) {
  using namespace threadsafe;
  CallsOurs calls = CallsOurs::no;
  if (!is_signal(signo)) return 0;
  signals[signo].chain.for_each_called([&](const Previous& previous) {
    const struct sigaction& action = previous.current.load()->action;
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
