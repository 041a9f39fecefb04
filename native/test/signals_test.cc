// Signal sources, with the helper thread and doorbells, but without Node: libuv is the system's.
#include "../platform/signals.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <utility>

#include "../platform/doorbell.h"
#include "../platform/ticker.h"
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("signals");

namespace {

constexpr u32 kInfoBytes = sizeof(SignalInfo);

class SignalQueue : public TestQueue {
 public:
  explicit SignalQueue(u32 capacity, Overflow overflow = Overflow::reject)
      : TestQueue(capacity, ElementType::record, kInfoBytes, overflow) {}

  template <class Parker>
  Status get_info(Parker&& parker, SignalInfo& info) {
    return core().get(parker, kInfoBytes, [&](const Span& span) { slots().copy_out(span, &info); });
  }
  Status try_get_info(SignalInfo& info) {
    return core().try_get(kInfoBytes, [&](const Span& span) { slots().copy_out(span, &info); });
  }
};

struct Source {
  Source(int signo, SignalTarget target) : attached(attach_signal(signo, target)) { REQUIRE(attached.error == 0); }
  explicit Source(const Attached& a) : attached(a) { REQUIRE(attached.error == 0); }
  ~Source() { detach_source(attached.source); }
  SourceCounts counts() const { return source_counts(attached.source); }
  const Attached attached;
};

std::atomic<u32> previous_handler_calls{0};

}  // namespace

TEST_CASE("a signal's sender and value arrive") {
  SignalQueue queue(4);
  const Watchdog watchdog("a signal");
  const Source source(SIGUSR2, {&queue.header(), nullptr});
  REQUIRE(send_signal(getpid(), SIGUSR2, true, 42) == 0);
  SignalInfo info;
  REQUIRE(queue.get_info(PatientParker(queue.header().not_empty), info) == Status::ok);
  CHECK(info.signo == SIGUSR2);
  CHECK(info.code == SI_QUEUE);
  CHECK(info.pid == getpid());
  CHECK(info.uid == getuid());
  CHECK(info.value == 42);
  CHECK(info.timestamp > 0);
  CHECK(source.counts().delivered == 1);
}

TEST_CASE("a handler wakes a thread that blocks, each time") {
  SignalQueue queue(2);
  const u32 rounds = scaled(5'000);
  const Watchdog watchdog("a signal for each get", std::chrono::seconds(120));
  const Source source(SIGUSR2, {&queue.header(), nullptr});
  std::atomic<u32> got{0};
  run_together({[&] {
                  SignalInfo info;
                  while (queue.get_info(PatientParker(queue.header().not_empty), info) == Status::ok) got++;
                },
                [&] {
                  for (u32 k = 0; k < rounds; k++) {
                    send_signal(getpid(), SIGUSR2, false, 0);
                    wait_until([&] { return got.load() == k + 1; });
                  }
                  queue.core().close();
                }});
  CHECK(got == rounds);
  CHECK(source.counts().delivered == rounds);
}

TEST_CASE("a storm strikes threads that block on the same queue: received = delivered + dropped, and nobody is stuck") {
  const u32 strikes = scaled(200'000);
  SignalQueue queue(3);
  const Watchdog watchdog("a storm on a queue that threads block on", std::chrono::seconds(200));
  std::atomic<u32> got_from_handler{0};
  std::atomic<u32> got_from_threads{0};
  u32 put_by_threads = 0;
  SourceCounts counts{};
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    std::atomic<u32> ready{0};
    std::atomic<bool> over{false};
    std::atomic<bool> silent{false};
    std::vector<pthread_t> victims(3);
    const auto get = [&](u32 number) {
      victims[number] = pthread_self();
      ready++;
      SignalInfo info;
      while (queue.get_info(parker(queue.header().not_empty), info) == Status::ok) {
        (info.signo == SIGUSR2 ? got_from_handler : got_from_threads)++;
      }
      wait_until([&] { return silent.load(); });
    };
    run_together({[&] { get(0); }, [&] { get(1); },
                  [&] {
                    victims[2] = pthread_self();
                    ready++;
                    const SignalInfo own{};
                    while (!over) {
                      auto waiting = parker(queue.header().not_full);
                      const auto write = [&](const Span& span) { queue.slots().copy_in(span, &own); };
                      put_by_threads += queue.core().put(waiting, 1, kInfoBytes, write) == Status::ok;
                    }
                    queue.core().close();
                    wait_until([&] { return silent.load(); });
                  },
                  [&] {
                    wait_until([&] { return ready == 3; });
                    const auto received = [&] {
                      counts = source.counts();
                      return counts.delivered + counts.dropped;
                    };
                    for (u32 k = 0; received() < strikes; k++) pthread_kill(victims[k % 3], SIGUSR2);
                    over = true;
                    silent = true;
                  }});
    counts = source.counts();
  }
  CHECK(counts.delivered == got_from_handler);
  CHECK(put_by_threads == got_from_threads);
  CHECK(counts.delivered + counts.dropped >= strikes);
}

TEST_CASE("a signal sets an event, for all who wait") {
  TestEvent event;
  const u32 rounds = scaled(1'000);
  const Watchdog watchdog("a signal that sets an event", std::chrono::seconds(120));
  const Source source(SIGUSR2, {nullptr, &event.header()});
  for (u32 round = 0; round < rounds; round++) {
    const auto wait = [&] {
      PatientParker waiting(event.waiters());
      event.core().wait(waiting);
    };
    run_together({wait, wait, [&] {
                    wait_until([&] { return announced(event.waiters()) == 2; });
                    send_signal(getpid(), SIGUSR2, false, 0);
                  }});
    event.core().clear();
  }
  CHECK(source.counts().delivered == rounds);
}

TEST_CASE("two sources of one signal both have it; a full queue counts what it drops") {
  SignalQueue first(1);
  SignalQueue second(1, Overflow::drop_oldest);
  const Watchdog watchdog("two sources");
  const Source one(SIGUSR2, {&first.header(), nullptr});
  const Source other(SIGUSR2, {&second.header(), nullptr});
  for (int k = 0; k < 3; k++) {
    send_signal(getpid(), SIGUSR2, true, k);
    wait_until([&] { return other.counts().delivered == static_cast<u32>(k + 1); });
  }
  CHECK(one.counts().delivered == 1);
  CHECK(one.counts().dropped == 2);
  CHECK(first.header().dropped.load() == 2);
  SignalInfo info;
  CHECK(first.try_get_info(info) == Status::ok);
  CHECK(info.value == 0);
  CHECK(second.try_get_info(info) == Status::ok);
  CHECK(info.value == 2);
}

TEST_CASE("the handler that was there before is called too, and is back afterwards") {
  struct sigaction theirs{};
  struct sigaction before{};
  struct sigaction now{};
  theirs.sa_handler = [](int) { previous_handler_calls++; };
  sigaction(SIGUSR2, &theirs, &before);
  {
    SignalQueue queue(1);
    const Watchdog watchdog("the handler that was there before");
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    send_signal(getpid(), SIGUSR2, false, 0);
    wait_until([&] { return previous_handler_calls == 1 && source.counts().delivered == 1; });
  }
  sigaction(SIGUSR2, nullptr, &now);
  CHECK((now.sa_handler == theirs.sa_handler));
  sigaction(SIGUSR2, &before, nullptr);
}

TEST_CASE("a handler that replaced ours stays when the source goes; reclaimed, ours is called as well as theirs") {
  struct sigaction theirs{};
  struct sigaction before{};
  struct sigaction now{};
  theirs.sa_handler = [](int) { previous_handler_calls++; };
  previous_handler_calls = 0;
  SignalQueue queue(4);
  const Watchdog watchdog("both handlers");
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    sigaction(SIGUSR2, &theirs, &before);
    raise(SIGUSR2);
    CHECK(source.counts().delivered == 0);
    CHECK(previous_handler_calls == 1);
    // Often, and with the default action between: each is remembered once.
    for (u32 k = 0; k < 3; k++) {
      reclaim_signal(SIGUSR2);
      raise(SIGUSR2);
      CHECK(source.counts().delivered == k + 1);
      CHECK(previous_handler_calls == k + 2);
      signal(SIGUSR2, SIG_DFL);
      reclaim_signal(SIGUSR2);
      sigaction(SIGUSR2, &theirs, nullptr);
    }
  }
  sigaction(SIGUSR2, nullptr, &now);
  CHECK((now.sa_handler == theirs.sa_handler));
  reclaim_signal(SIGUSR2);  // nothing is attached
  sigaction(SIGUSR2, nullptr, &now);
  CHECK((now.sa_handler == theirs.sa_handler));
  signal(SIGUSR2, SIG_DFL);
}

namespace {

sigjmp_buf back_to_test;

}  // namespace

TEST_CASE("a handler before ours that leaves by siglongjmp costs no later signal") {
  struct sigaction leaving{};
  leaving.sa_handler = [](int) { siglongjmp(back_to_test, 1); };
  sigaction(SIGUSR2, &leaving, nullptr);
  const u32 rounds = 100;
  SignalQueue queue(rounds);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    // Atomic, as an ordinary variable that changes after sigsetjmp may have its old value again.
    std::atomic<u32> left{0};
    for (std::atomic<u32> k{0}; k < rounds; k++) {
      if (sigsetjmp(back_to_test, 1) == 0) {
        raise(SIGUSR2);
      } else {
        left++;
      }
    }
    CHECK(left == rounds);
    CHECK(source.counts().delivered == rounds);
  }
  signal(SIGUSR2, SIG_DFL);
}

namespace {

// Handlers that others install over ours, each at most once in a round, and pass signals on to whoever was there before, as others do it.
struct Chaining {
  struct sigaction before;
  std::atomic<u32> calls;
};
Chaining chaining[5];

void call(const struct sigaction& action, int signo, siginfo_t* info, void* context) {
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction(signo, info, context);
  } else if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) {
    action.sa_handler(signo);
  }
}

void passes_on(int signo, siginfo_t* info, void* context) {
  chaining[0].calls++;
  call(chaining[0].before, signo, info, context);
}

void passes_a_copy_on(int signo, siginfo_t* info, void* context) {
  chaining[1].calls++;
  siginfo_t copy = info ? *info : siginfo_t{};
  call(chaining[1].before, signo, &copy, context);
}

void makes_a_siginfo_up(int signo, siginfo_t*, void* context) {
  chaining[2].calls++;
  siginfo_t other{};
  other.si_signo = signo;
  call(chaining[2].before, signo, &other, context);
}

void passes_no_context_on(int signo, siginfo_t* info, void*) {
  chaining[3].calls++;
  call(chaining[3].before, signo, info, nullptr);
}

void passes_nothing_on(int signo) {
  chaining[4].calls++;
  call(chaining[4].before, signo, nullptr, nullptr);
}

void install(u32 number) {
  constexpr void (*kHandlers[])(int, siginfo_t*, void*) = {passes_on, passes_a_copy_on, makes_a_siginfo_up, passes_no_context_on};
  struct sigaction action{};
  if (number < std::size(kHandlers)) {
    action.sa_sigaction = kHandlers[number];
    action.sa_flags = SA_SIGINFO;
  } else {
    action.sa_handler = passes_nothing_on;
  }
  if (number % 2 == 1) sigfillset(&action.sa_mask);
  REQUIRE(sigaction(SIGUSR2, &action, &chaining[number].before) == 0);
}

}  // namespace

TEST_CASE("handlers that pass signals on, and sources, come and go in any order: each handler and each source has each signal once") {
  const u32 rounds = scaled(2'000);
  const Watchdog watchdog("handlers that come and go", std::chrono::seconds(300));
  Random random(11);
  SignalQueue queue(1, Overflow::drop_oldest);
  for (u32 round = 0; round < rounds; round++) {
    signal(SIGUSR2, SIG_IGN);
    bool present[std::size(chaining)]{};
    std::vector<Attached> attached;
    std::string done = "round " + std::to_string(round) + ":";
    for (u32 step = 0; step < 12; step++) {
      const u32 what = random.below(8);
      if (what < std::size(chaining)) {
        if (present[what]) continue;
        install(what);
        present[what] = true;
        done += " install " + std::to_string(what);
      } else if (what == 5 && attached.size() < 3) {
        attached.push_back(attach_signal(SIGUSR2, {&queue.header(), nullptr}));
        done += " attach";
      } else if (what == 6 && !attached.empty()) {
        detach_source(attached.back().source);
        attached.pop_back();
        done += " detach";
      } else {
        reclaim_signal(SIGUSR2);
        done += " reclaim";
      }
      INFO(done);
      u32 before[std::size(chaining)];
      for (u32 k = 0; k < std::size(chaining); k++) before[k] = chaining[k].calls;
      std::vector<u32> delivered;
      for (const Attached& one : attached) delivered.push_back(source_counts(one.source).delivered);
      raise(SIGUSR2);
      for (u32 k = 0; k < std::size(chaining); k++) {
        CAPTURE(k);
        REQUIRE(chaining[k].calls - before[k] == (present[k] ? 1 : 0));
      }
      for (std::size_t k = 0; k < attached.size(); k++) REQUIRE(source_counts(attached[k].source).delivered - delivered[k] == 1);
    }
    for (const Attached& one : attached) detach_source(one.source);
  }
  signal(SIGUSR2, SIG_DFL);
}

namespace {

// Handlers that make up all that they pass on, so that nobody can tell that they pass the same signal on.
struct Inventing {
  struct sigaction before;
  std::atomic<u32> calls;
};
Inventing inventing[3];

template <u32 number>
void invents(int signo, siginfo_t*, void*) {
  inventing[number].calls++;
  siginfo_t info{};
  ucontext_t context{};
  call(inventing[number].before, signo, &info, &context);
}

}  // namespace

TEST_CASE("handlers that pass on what they have made up altogether are not called for ever, however many there are") {
  SignalQueue queue(1, Overflow::drop_oldest);
  constexpr void (*kHandlers[])(int, siginfo_t*, void*) = {invents<0>, invents<1>, invents<2>};
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    for (u32 count = 1; count <= std::size(inventing); count++) {
      struct sigaction action{};
      action.sa_flags = SA_SIGINFO;
      action.sa_sigaction = kHandlers[count - 1];
      sigaction(SIGUSR2, &action, &inventing[count - 1].before);
      reclaim_signal(SIGUSR2);
      for (u32 k = 0; k < 10; k++) {
        for (Inventing& one : inventing) one.calls = 0;
        raise(SIGUSR2);
        for (u32 one = 0; one < count; one++) {
          CHECK(inventing[one].calls > 0);
          CHECK(inventing[one].calls < 100);
        }
      }
    }
  }
  signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("signals come through though handlers have left by siglongjmp again and again, with a handler over ours or without") {
  static std::atomic<bool> jumps{false};
  struct sigaction jumper{};
  jumper.sa_handler = [](int) {
    if (jumps) siglongjmp(back_to_test, 1);
  };
  sigaction(SIGUSR2, &jumper, nullptr);
  SignalQueue queue(4, Overflow::drop_oldest);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    std::atomic<u32> sent{0};
    std::function<void(u32)> strike = [&](u32 depth) {  // at many places of the stack
      if (depth > 0) return strike(depth - 1);
      sent++;
      if (sigsetjmp(back_to_test, 1) == 0) raise(SIGUSR2);
    };
    for (const u32 over : {5u, 0u, 1u, 2u, 3u, 4u}) {
      if (over < std::size(chaining)) install(over);
      for (std::atomic<u32> k{0}; k < 40; k++) {
        jumps = k % 2 == 0;
        strike(k % 20);
      }
      CAPTURE(over);
      CHECK(source.counts().delivered == sent);
      if (over == 2) reclaim_signal(SIGUSR2);
    }
  }
  signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("handlers before ours that leave by siglongjmp deeper and deeper in the stack have each signal") {
  static std::atomic<u32> calls{0};
  struct sigaction jumper{};
  jumper.sa_handler = [](int) {
    calls++;
    siglongjmp(back_to_test, 1);
  };
  sigaction(SIGUSR2, &jumper, nullptr);
  const u32 rounds = 100;
  SignalQueue queue(1, Overflow::drop_oldest);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    const std::function<void(u32)> strike = [&](u32 left) {
      if (sigsetjmp(back_to_test, 1) == 0) raise(SIGUSR2);
      [[maybe_unused]] volatile unsigned char deeper[256];  // so that the frame stays, and each signal's begins further down
      deeper[left] = 0;
      if (left > 1) strike(left - 1);
      deeper[left] = 1;
    };
    // On the thread's own stack: on an alternate one each signal begins at the same place.
    std::thread([&] {
      stack_t none{};
      none.ss_flags = SS_DISABLE;
      sigaltstack(&none, nullptr);
      strike(rounds);
    }).join();
    CHECK(calls == rounds);
    CHECK(source.counts().delivered == rounds);
  }
  signal(SIGUSR2, SIG_DFL);
}

#ifndef __SANITIZE_THREAD__  // which has masks of its own
namespace {

std::atomic<u64> seen_mask{0};

void see_mask(int) {
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, nullptr, &set);
  u64 mask = 0;
  std::memcpy(&mask, &set, std::min(sizeof mask, sizeof set));
  seen_mask = mask;
}

u64 bits(std::initializer_list<int> signals) {
  u64 mask = 0;
  for (const int signo : signals) mask |= u64{1} << (signo - 1);
  return mask;
}

u64 mask_now() {
  see_mask(0);
  return seen_mask;
}

struct BlockedHere {
  explicit BlockedHere(int signo) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    pthread_sigmask(SIG_BLOCK, &set, &before);
  }
  ~BlockedHere() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before;
};

}  // namespace

TEST_CASE("handlers before ours run with the mask that the kernel would have given them") {
  const BlockedHere blocked(SIGWINCH);
  const u64 outside = mask_now();
  SignalQueue queue(1, Overflow::drop_oldest);
  for (const bool nodefer : {false, true}) {
    for (const int also : {0, SIGUSR1, SIGHUP}) {
      for (const bool over : {false, true}) {
        struct sigaction theirs{};
        theirs.sa_handler = see_mask;
        theirs.sa_flags = nodefer ? SA_NODEFER : 0;
        if (also != 0) sigaddset(&theirs.sa_mask, also);
        signal(SIGUSR2, SIG_DFL);
        sigaction(SIGUSR2, &theirs, nullptr);
        const Source source(SIGUSR2, {&queue.header(), nullptr});
        // Passed on by a handler over ours, with all that one has blocked in its midst.
        if (over) install(2);
        raise(SIGUSR2);
        const u64 expected = outside | (also != 0 ? bits({also}) : 0) | (nodefer && !over ? 0 : bits({SIGUSR2}));
        CAPTURE(nodefer);
        CAPTURE(also);
        CAPTURE(over);
        CHECK(seen_mask == expected);
        CHECK(mask_now() == outside);
      }
    }
  }
  signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("a handler that calls ours in its midst, and relies on its mask, is not struck in the handlers before ours") {
  static std::atomic<bool> inside{false}, struck{false};
  static struct sigaction before;
  struct sigaction first{}, over{}, other{};
  first.sa_handler = [](int) { raise(SIGUSR1); };  // comes at once if it is not blocked
  over.sa_flags = SA_SIGINFO;
  over.sa_sigaction = [](int signo, siginfo_t* info, void* context) {
    inside = true;
    before.sa_sigaction(signo, info, context);
    inside = false;
  };
  sigfillset(&over.sa_mask);
  other.sa_handler = [](int) { struck = struck || inside; };
  sigaction(SIGUSR1, &other, nullptr);
  sigaction(SIGUSR2, &first, nullptr);
  SignalQueue queue(1, Overflow::drop_oldest);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    sigaction(SIGUSR2, &over, &before);
    raise(SIGUSR2);
    reclaim_signal(SIGUSR2);
    raise(SIGUSR2);
    CHECK(source.counts().delivered == 2);
  }
  CHECK_FALSE(struck);
  signal(SIGUSR1, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("a second signal whose handler leaves by siglongjmp strands nothing of the first") {
  static volatile sig_atomic_t may_jump = 0;
  struct sigaction jumper{};
  jumper.sa_handler = [](int) {
    if (!may_jump) return;
    may_jump = 0;
    siglongjmp(back_to_test, 1);
  };
  sigaction(SIGHUP, &jumper, nullptr);
  // With nobody over ours; with one over it, which ends with a jump to ours, so that ours finds the stack as if the kernel had called; and
  // with one that has come just after the kernel has called ours.
  enum class Over { nobody, somebody, suddenly };
  for (const Over over : {Over::nobody, Over::somebody, Over::suddenly}) {
    CAPTURE(static_cast<int>(over));
    SignalQueue queue(64, Overflow::drop_oldest), other(64, Overflow::drop_oldest);
    std::vector<Attached> many;  // so that our handler takes long enough to be struck
    for (u32 k = 0; k < 100; k++) many.push_back(attach_signal(SIGUSR2, {&queue.header(), nullptr}));
    struct sigaction ours;
    sigaction(SIGUSR2, nullptr, &ours);
    if (over == Over::somebody) install(0);
    const Attached hup = attach_signal(SIGHUP, {&other.header(), nullptr});
    const pthread_t self = pthread_self();
    std::atomic<bool> stop{false};
    std::thread striker([&] {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_BLOCK, &all, nullptr);
      Random random(5);
      while (!stop) {
        pthread_kill(self, SIGHUP);
        for (u32 k = random.below(8192) >> random.below(14); k > 0; k--) std::atomic_signal_fence(std::memory_order_seq_cst);
      }
    });
    for (const auto end = Clock::now() + std::chrono::seconds(3); Clock::now() < end;) {
      if (over == Over::suddenly) {
        sigaction(SIGUSR2, &ours, nullptr);
        raise(SIGUSR2);
        install(0);
      }
      if (sigsetjmp(back_to_test, 1) == 0) {
        may_jump = 1;
        raise(SIGUSR2);
      }
      may_jump = 0;
    }
    stop = true;
    striker.join();
    const Watchdog watchdog("sources that are detached");
    SignalInfo info;
    while (queue.try_get_info(info) == Status::ok) {
    }
    raise(SIGUSR2);
    CHECK(queue.try_get_info(info) == Status::ok);
    for (const Attached& one : many) detach_source(one.source);
    detach_source(hup.source);
    signal(SIGUSR2, SIG_DFL);
  }
  signal(SIGHUP, SIG_DFL);
}

TEST_CASE("in a forked child that does not execute, handlers before ours have their signals, and nobody is woken in the parent") {
  const Watchdog watchdog("a child");
  struct sigaction theirs{};
  theirs.sa_handler = [](int) { previous_handler_calls++; };
  sigaction(SIGUSR2, &theirs, nullptr);
  SignalQueue queue(4);
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  static std::atomic<u32> rings{0};
  const u32 bell = open_doorbell(&loop, [](void*) { rings++; }, nullptr);
  keep_loop_alive(bell, true);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    announce_loop(queue.header().not_empty, bell);
    previous_handler_calls = 0;
    const pid_t child = fork();
    if (child == 0) {
      raise(SIGUSR2);
      _exit(previous_handler_calls == 1 && source.counts().delivered == 0 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(rings == 0);
    raise(SIGUSR2);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(rings == 1);
    CHECK(source.counts().delivered == 1);
  }
  close_doorbell(bell, [](void*) {}, nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  signal(SIGUSR2, SIG_DFL);
}
#endif

TEST_CASE("what another thread installs while ours is being installed is called, and is back afterwards") {
  const u32 rounds = scaled(5'000);
  const Watchdog watchdog("installing", std::chrono::seconds(200));
  SignalQueue queue(1, Overflow::drop_oldest);
  std::atomic<u32> go{0}, attached{0}, source{0};
  u32 lost = 0, not_back = 0;
  struct sigaction theirs{};
  theirs.sa_handler = [](int) { previous_handler_calls++; };
  run_together({[&] {
                  for (u32 k = 1; k <= rounds; k++) {
                    while (go < k) {
                    }
                    source = attach_signal(SIGUSR2, {&queue.header(), nullptr}).source;
                    attached = k;
                  }
                },
                [&] {
                  Random random(3);
                  for (u32 k = 1; k <= rounds; k++) {
                    signal(SIGUSR2, SIG_DFL);
                    go = k;
                    for (u32 n = random.below(k % 2 ? 600 : 60'000); n > 0; n--) std::atomic_signal_fence(std::memory_order_seq_cst);
                    sigaction(SIGUSR2, &theirs, nullptr);
                    reclaim_signal(SIGUSR2);
                    wait_until([&] { return attached == k; });
                    reclaim_signal(SIGUSR2);
                    previous_handler_calls = 0;
                    raise(SIGUSR2);
                    lost += previous_handler_calls != 1;
                    detach_source(source);
                    struct sigaction now;
                    sigaction(SIGUSR2, nullptr, &now);
                    not_back += now.sa_handler != theirs.sa_handler;
                  }
                }});
  CHECK(lost == 0);
  CHECK(not_back == 0);
  signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("whether ours is the handler that the process has is told") {
  SignalQueue queue(1);
  CHECK_FALSE(is_installed(SIGUSR2));
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    CHECK(is_installed(SIGUSR2));
    signal(SIGUSR2, SIG_IGN);
    CHECK_FALSE(is_installed(SIGUSR2));
    reclaim_signal(SIGUSR2);
    CHECK(is_installed(SIGUSR2));
  }
  CHECK_FALSE(is_installed(SIGUSR2));
  signal(SIGUSR2, SIG_DFL);
}

namespace {

// A loop that listens to a signal, as that of Node's main thread does for process.on().
class Listener {
 public:
  Listener() {
    REQUIRE(uv_loop_init(&loop_) == 0);
    REQUIRE(uv_signal_init(&loop_, &signal_) == 0);
    signal_.data = &heard_;
  }
  ~Listener() {
    uv_close(reinterpret_cast<uv_handle_t*>(&signal_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    REQUIRE(uv_loop_close(&loop_) == 0);
  }
  void listen(bool listens) {
    libuv_will_change(SIGUSR2);
    if (listens) {
      uv_signal_start(&signal_, [](uv_signal_t* signal, int) { (*static_cast<u32*>(signal->data))++; }, SIGUSR2);
    } else {
      uv_signal_stop(&signal_);
    }
    libuv_has_changed(SIGUSR2, listens);
  }
  u32 heard() {
    uv_run(&loop_, UV_RUN_NOWAIT);
    return std::exchange(heard_, 0);
  }

 private:
  uv_loop_t loop_;
  uv_signal_t signal_;
  u32 heard_ = 0;
};

}  // namespace

TEST_CASE("libuv displaces nobody, neither coming nor going, and what was there before is back at the end") {
  struct sigaction theirs{}, now{};
  theirs.sa_handler = [](int) { previous_handler_calls++; };
  follow_libuv();
  Listener listener;
  for (const bool with_theirs : {true, false}) {
    for (const bool over : {true, false}) {
      for (const bool listens_at_end : {true, false}) {
        CAPTURE(with_theirs);
        CAPTURE(over);
        CAPTURE(listens_at_end);
        signal(SIGUSR2, SIG_IGN);
        if (with_theirs) sigaction(SIGUSR2, &theirs, nullptr);
        SignalQueue queue(100);
        const auto expect = [&](bool listens) {
          previous_handler_calls = 0;
          chaining[0].calls = 0;
          raise(SIGUSR2);
          CHECK(listener.heard() == (listens ? 1 : 0));
          CHECK(previous_handler_calls == (with_theirs ? 1 : 0));
          CHECK(chaining[0].calls == (over ? 1 : 0));
        };
        {
          const Source source(SIGUSR2, {&queue.header(), nullptr});
          if (over) install(0);
          u32 sent = 0;
          for (const bool listens : {true, false, true, false, listens_at_end}) {
            listener.listen(listens);
            expect(listens);
            CHECK(source.counts().delivered == ++sent);
          }
        }
        expect(listens_at_end);
        if (listens_at_end && (with_theirs || over)) {
          // Ours is there on behalf of several.
          listener.listen(false);
          expect(false);
        } else {
          listener.listen(false);
        }
        sigaction(SIGUSR2, nullptr, &now);
        if (with_theirs && !over) CHECK((now.sa_handler == theirs.sa_handler));
        if (!with_theirs && !over) CHECK((now.sa_handler == SIG_IGN || listens_at_end));
        signal(SIGUSR2, SIG_IGN);
      }
    }
  }
  signal(SIGUSR2, SIG_DFL);
}

TEST_CASE("a handler that has libuv's as the one before its own does not make libuv hear a signal twice") {
  follow_libuv();
  Listener listener;
  listener.listen(true);
  install(0);
  SignalQueue queue(100);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    for (const bool listens : {false, true, false, true}) {
      listener.listen(listens);
      chaining[0].calls = 0;
      raise(SIGUSR2);
      CHECK(listener.heard() == (listens ? 1 : 0));
      CHECK(chaining[0].calls == 1);
    }
  }
  listener.listen(false);
  signal(SIGUSR2, SIG_DFL);
}

#if defined(__linux__) && !defined(__SANITIZE_THREAD__)  // which can't have a child of fork(2) start threads
TEST_CASE("the threads of timers take the signals of timers alone: another is there for whoever waits for it") {
  const Watchdog watchdog("a child");
  const pid_t child = fork();
  if (child == 0) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signo : {SIGRTMIN + 4, SIGRTMIN + 6, SIGUSR1}) sigaddset(&set, signo);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    const auto comes = [&](int signo) {
      kill(getpid(), signo);
      const timespec second{1, 0};
      return sigtimedwait(&set, nullptr, &second) == signo;
    };
    TickTimer timers[3];
    for (u32 k = 0; k < 3; k++) {
      if (create_tick_timer(timers[k], SIGRTMIN + 5 + static_cast<int>(k % 2) * 2, 3600'000'000'000, k, false) != 0) _exit(2);
      for (const int signo : {SIGRTMIN + 4, SIGRTMIN + 6, SIGUSR1}) {
        if (!comes(signo)) _exit(3);
      }
    }
    // One whose timers are gone is as any other.
    sigaddset(&set, SIGRTMIN + 5);
    sigaddset(&set, SIGRTMIN + 7);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    if (!delete_tick_timer(timers[0], SIGRTMIN + 5, false) || !delete_tick_timer(timers[2], SIGRTMIN + 5, false)) _exit(4);
    if (!comes(SIGRTMIN + 5)) _exit(5);
    if (!delete_tick_timer(timers[1], SIGRTMIN + 7, false) || !comes(SIGRTMIN + 7)) _exit(6);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

#ifdef __linux__
TEST_CASE("what the kernel tells in the sender's place is not told as a sender") {
  SignalQueue queue(4);
  const Source source(SIGRTMIN + 3, {&queue.header(), nullptr});
  const auto told = [&](int code) {
    siginfo_t sent{};
    sent.si_code = code;
    sent.si_pid = 1234;  // the place of si_band, for POLL_IN and SI_SIGIO
    sent.si_uid = 5678;
    sent.si_value.sival_int = 42;
    REQUIRE(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN + 3, &sent) == 0);
    SignalInfo info{};
    REQUIRE(queue.try_get_info(info) == Status::ok);
    REQUIRE(info.code == code);
    return info;
  };
  for (const int code : {int{POLL_IN}, int{SI_SIGIO}, int{SI_KERNEL}}) {
    const SignalInfo info = told(code);
    CHECK(info.pid == 0);
    CHECK(info.uid == 0);
    CHECK(info.value == 0);
  }
  for (const int code : {int{SI_QUEUE}, int{SI_MESGQ}, int{SI_ASYNCIO}}) {
    const SignalInfo info = told(code);
    CHECK(info.pid == 1234);
    CHECK(info.uid == 5678);
    CHECK(info.value == 42);
  }
  CHECK(told(SI_USER).pid == 1234);
  CHECK(told(SI_USER).value == 0);
}

namespace {

struct sigaction before_chaining;
std::atomic<u32> chaining_handler_calls{0};

// As others do it: calls what was there before, with all that it was given.
void chaining_handler(int signo, siginfo_t* info, void* context) {
  chaining_handler_calls++;
  if (before_chaining.sa_flags & SA_SIGINFO) before_chaining.sa_sigaction(signo, info, context);
}

}  // namespace

TEST_CASE("a handler that was installed over ours, and passes signals on to it, is not called in circles") {
  SignalQueue queue(4);
  const Watchdog watchdog("a signal");
  struct sigaction first;
  REQUIRE(sigaction(SIGUSR2, nullptr, &first) == 0);
  {
    const Source source(SIGUSR2, {&queue.header(), nullptr});
    struct sigaction chaining{};
    chaining.sa_sigaction = chaining_handler;
    chaining.sa_flags = SA_SIGINFO;
    REQUIRE(sigaction(SIGUSR2, &chaining, &before_chaining) == 0);
  }
  const Source again(SIGUSR2, {&queue.header(), nullptr});
  REQUIRE(send_signal(getpid(), SIGUSR2, true, 7) == 0);
  SignalInfo info;
  REQUIRE(queue.get_info(PatientParker(queue.header().not_empty), info) == Status::ok);
  CHECK(info.value == 7);
  wait_until([] { return chaining_handler_calls.load() == 1; });
  CHECK(again.counts().delivered == 1);
  REQUIRE(sigaction(SIGUSR2, &first, nullptr) == 0);
}

TEST_CASE("a timer ticks, and leaves nothing pending that would end the process") {
  const u32 rounds = scaled(300);
  const Watchdog watchdog("ticks", std::chrono::seconds(120));
  for (u32 round = 0; round < rounds; round++) {
    SignalQueue queue(1);
    const Source source(attach_timer(SIGRTMIN + 3, {50'000, false, {}}, {&queue.header(), nullptr}));
    SignalInfo info;
    REQUIRE(queue.get_info(PatientParker(queue.header().not_empty), info) == Status::ok);
    REQUIRE(info.code == SI_TIMER);
    REQUIRE(info.value == 0);
  }
}

TEST_CASE("a timer may interrupt the thread that makes it, and leaves nothing pending there") {
  const u32 rounds = scaled(300);
  const Watchdog watchdog("ticks in this thread", std::chrono::seconds(120));
  static std::atomic<pid_t> struck;
  struct sigaction theirs{};
  theirs.sa_handler = [](int) { struck = static_cast<pid_t>(syscall(SYS_gettid)); };
  sigaction(SIGRTMIN + 3, &theirs, nullptr);
  for (u32 round = 0; round < rounds; round++) {
    SignalQueue queue(1);
    const Source source(attach_timer(SIGRTMIN + 3, {50'000, true, {}}, {&queue.header(), nullptr}));
    wait_until([&] { return source.counts().delivered > 0; });
    REQUIRE(struck == static_cast<pid_t>(syscall(SYS_gettid)));
  }
  signal(SIGRTMIN + 3, SIG_DFL);
}

TEST_CASE("where a tick stays pending, the handler stays for it") {
  struct sigaction now{};
  sigset_t ticks;
  sigemptyset(&ticks);
  sigaddset(&ticks, SIGRTMIN + 4);
  SignalQueue queue(1);
  const Watchdog watchdog("a timer that gives up");
  pthread_sigmask(SIG_BLOCK, &ticks, nullptr);
  {
    const Source source(attach_timer(SIGRTMIN + 4, {50'000, true, {}}, {&queue.header(), nullptr}));
    sigset_t pending;
    wait_until([&] { return sigpending(&pending) == 0 && sigismember(&pending, SIGRTMIN + 4); });
  }
  sigaction(SIGRTMIN + 4, nullptr, &now);
  CHECK((now.sa_flags & SA_SIGINFO) != 0);
  // The tick comes now, to nobody.
  pthread_sigmask(SIG_UNBLOCK, &ticks, nullptr);
  SignalInfo info;
  CHECK(queue.try_get_info(info) == Status::empty);
}

TEST_CASE("a timer with a heartbeat tells of each beat that grows old, once") {
  SignalQueue queue(4);
  const Watchdog watchdog("an old heartbeat");
  Atomic<u64> beat{0};
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<u64>(time.tv_sec) * 1'000'000'000 + static_cast<u64>(time.tv_nsec);
  };
  const u64 limit = 5'000'000;
  // Ticks on the same clock, so that waiting for some of them shows that the other was silent, too.
  SignalQueue all(1, Overflow::drop_oldest);
  const Source source(attach_timer(SIGRTMIN + 3, {500'000, false, {&beat, limit}}, {&queue.header(), nullptr}));
  const Source witness(attach_timer(SIGRTMIN + 3, {500'000, false, {}}, {&all.header(), nullptr}));
  const auto ticks = [&](u32 count) {
    const u32 before = witness.counts().delivered;
    wait_until([&] { return witness.counts().delivered >= before + count; });
  };
  ticks(20);
  CHECK(source.counts().delivered == 0);  // none has come yet
  beat = now() + 3'600'000'000'000;
  ticks(20);
  CHECK(source.counts().delivered == 0);  // young for an hour
  for (u32 round = 0; round < 3; round++) {
    const u64 last = now();
    beat = last;
    SignalInfo info;
    REQUIRE(queue.get_info(PatientParker(queue.header().not_empty), info) == Status::ok);
    CHECK(info.timestamp - last > limit);
    CHECK(info.timestamp - last < 1000 * (static_cast<u64>(info.value) + 1));
    CHECK(info.timestamp - last >= 1000 * static_cast<u64>(info.value));
    ticks(20);
    CHECK(source.counts().delivered == round + 1);
    CHECK(source.counts().dropped == 0);
  }
}

// ThreadSanitizer keeps signals back until the thread calls something, and one of each number at most: the others would be lost.
#ifndef __SANITIZE_THREAD__
TEST_CASE("a million values, aimed at a thread that puts and gets on the same queue: none is lost or doubled") {
  const u32 strikes = 1'000'000;
  SignalQueue queue(64);
  const Watchdog watchdog("a million strikes", std::chrono::seconds(300));
  const int signo = SIGRTMIN + 5;
  std::vector<unsigned char> seen(strikes);
  u32 got = 0, put_by_thread = 0, got_from_thread = 0, doubled = 0, untold = 0;
  SourceCounts counts{};
  {
    const Source source(signo, {&queue.header(), nullptr});
    std::atomic<pid_t> victim{0};
    std::atomic<bool> over{false};
    const auto take = [&] {
      SignalInfo info;
      if (queue.try_get_info(info) != Status::ok) return false;
      if (info.signo != signo) {
        got_from_thread++;
      } else {
        got++;
        doubled += seen[static_cast<u32>(info.value)]++;
        untold += info.pid != getpid() || info.code != SI_QUEUE;
      }
      return true;
    };
    run_together({[&] {
                    victim = static_cast<pid_t>(syscall(SYS_gettid));
                    const SignalInfo own{};
                    while (!over) {
                      const auto write = [&](const Span& span) { queue.slots().copy_in(span, &own); };
                      put_by_thread += queue.core().try_put(kInfoBytes, write) == Status::ok;
                      take();
                    }
                  },
                  [&] {
                    wait_until([&] { return victim != 0; });
                    Random random(7);
                    siginfo_t info{};
                    info.si_code = SI_QUEUE;
                    info.si_pid = getpid();
                    for (u32 k = 0; k < strikes; k++) {
                      info.si_value.sival_int = static_cast<int>(k);
                      while (syscall(SYS_rt_tgsigqueueinfo, getpid(), victim.load(), signo, &info) != 0) {
                        REQUIRE(errno == EAGAIN);  // as many are on their way as the system allows
                        std::this_thread::yield();
                      }
                      // At random distances: each strikes that thread somewhere else. Nor is it waited for, as that takes a time slice each
                      // where both threads share a processor.
                      for (u32 spins = random.below(5'000); spins > 0; spins--) std::atomic_signal_fence(std::memory_order_seq_cst);
                    }
                    wait_until([&] { return source.counts().delivered + source.counts().dropped == strikes; });
                    over = true;
                  }});
    while (take()) {
    }
    counts = source.counts();
  }
  CHECK(counts.delivered + counts.dropped == strikes);
  CHECK(got == counts.delivered);
  CHECK(got_from_thread == put_by_thread);
  CHECK(doubled == 0);
  CHECK(untold == 0);
  CHECK(queue.core().size() == 0);
  CHECK(counts.delivered > 0);
}
#endif
#endif

TEST_CASE("sources come and go under fire") {
  const u32 rounds = scaled(2'000);
  const Watchdog watchdog("attach and detach", std::chrono::seconds(120));
  // So that the signal has a handler also when no source is there.
  SignalQueue always(1);
  const Source keeper(SIGUSR2, {&always.header(), nullptr});
  std::atomic<bool> over{false};
  run_together({[&] {
                  while (!over) {
                    send_signal(getpid(), SIGUSR2, false, 0);
                    std::this_thread::yield();
                  }
                },
                [&] {
                  for (u32 round = 0; round < rounds; round++) {
                    SignalQueue queue(1);
                    const Source source(SIGUSR2, {&queue.header(), nullptr});
                  }
                  over = true;
                }});
}

TEST_CASE("doorbells: rung from anywhere, a loop comes round; rung late, nothing happens") {
  const u32 rounds = scaled(2'000);
  const Watchdog watchdog("doorbells", std::chrono::seconds(120));
  std::atomic<u32> bell{kNoDoorbell};
  std::atomic<bool> over{false};
  run_together({[&] {
                  for (u32 round = 0; round < rounds; round++) {
                    uv_loop_t loop;
                    uv_loop_init(&loop);
                    struct State {
                      u32 bell;
                      bool rung;
                    } state{kNoDoorbell, false};
                    const auto on_ring = [](void* data) {
                      State& state = *static_cast<State*>(data);
                      if (!state.rung) close_doorbell(state.bell, [](void*) {}, data);
                      state.rung = true;
                    };
                    state.bell = open_doorbell(&loop, on_ring, &state);
                    REQUIRE(state.bell != kNoDoorbell);
                    keep_loop_alive(state.bell, true);
                    bell = state.bell;
                    uv_run(&loop, UV_RUN_DEFAULT);
                    REQUIRE(state.rung);
                    REQUIRE(uv_loop_close(&loop) == 0);
                  }
                  over = true;
                },
                [&] {
                  while (!over) {
                    if (bell != kNoDoorbell) ring_doorbell(bell);
                  }
                }});
  ring_doorbell(bell);
}

TEST_SUITE_END();
