// Handlers of others, before ours and over it. Each gets each signal once, as the kernel would
// deliver it.
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include <cstring>

#include "signals_support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("signals");

TEST_CASE("the handler that was there before is called too, and restored afterwards") {
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
    // Reclaims several times, with the default action in between. Each handler is remembered once.
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

TEST_CASE("a handler below one that passes signals on misses none while sources come and go") {
  const int signo = SIGRTMIN + 6;
  const u32 rounds = scaled(20'000);
  const Watchdog watchdog("sources that come and go", std::chrono::seconds(300));
  static std::atomic<u32> calls;
  static struct sigaction below;
  calls = 0;
  struct sigaction lowest{};
  struct sigaction over{};
  lowest.sa_handler = [](int) { calls++; };
  over.sa_sigaction = [](int number, siginfo_t* info, void* context) { call(below, number, info, context); };
  over.sa_flags = SA_SIGINFO;
  SignalQueue queue(1, Overflow::drop_oldest);
  sigaction(signo, &lowest, nullptr);
  {
    const Source first(signo, {&queue.header(), nullptr});
    sigaction(signo, &over, &below);
  }
  std::atomic<bool> done{false};
  u32 sent = 0;
  std::thread sender([&] {
    while (!done) {
      raise(signo);
      sent++;
    }
  });
  for (u32 round = 0; round < rounds; round++) const Source source(signo, {&queue.header(), nullptr});
  done = true;
  sender.join();
  signal(signo, SIG_DFL);
  CHECK(sent > 0);
  CHECK(calls == sent);
}

TEST_CASE("handlers that pass signals on, and sources, come and go in any order: each gets each signal once") {
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

struct sigaction before_chaining;
std::atomic<u32> chaining_handler_calls{0};

// Passes the signal on, as others do, to the handler that was there before, with all its arguments.
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

namespace {

// Handlers that invent everything they pass on, so that nobody can tell that it is the same signal.
struct Inventing {
  struct sigaction before;
  std::atomic<u32> calls;
};
Inventing inventing[3];

template <u32 number>
void invents(int signo, siginfo_t*, void*) {
  inventing[number].calls++;
  siginfo_t info{};
  // Placed at the end of the stack, where the kernel puts its ucontext when it calls a handler.
  auto* const context = static_cast<ucontext_t*>(alloca(sizeof(ucontext_t)));
  std::memset(context, 0, sizeof *context);
  call(inventing[number].before, signo, &info, context);
}

}  // namespace

TEST_CASE("handlers that pass on invented signals are not called for ever, however many there are") {
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

TEST_CASE("signals arrive though handlers have left by siglongjmp again and again, with or without a handler over ours") {
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

TEST_CASE("handlers before ours that leave by siglongjmp deeper and deeper in the stack get each signal") {
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
      [[maybe_unused]] volatile unsigned char deeper[256];  // keeps the frame, so that each signal's begins further down
      deeper[left] = 0;
      if (left > 1) strike(left - 1);
      deeper[left] = 1;
    };
    // The thread uses its own stack, as on an alternate one each signal begins at the same place.
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

#ifndef THREAD_SANITIZER  // which has masks of its own
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
        // A handler over ours passes the signal on, while everything that it has blocked is
        // blocked.
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

TEST_CASE("a handler that calls ours, and relies on its mask, is not interrupted in the handlers before ours") {
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

TEST_CASE("a second signal whose handler leaves by siglongjmp loses nothing of the first") {
  static volatile sig_atomic_t may_jump = 0;
  struct sigaction jumper{};
  jumper.sa_handler = [](int) {
    if (!may_jump) return;
    may_jump = 0;
    siglongjmp(back_to_test, 1);
  };
  sigaction(SIGHUP, &jumper, nullptr);
  // There are three cases: no handler over ours; one that ends with a jump to ours, so that ours
  // finds the stack as if the kernel had called it; and one that was installed just after the
  // kernel called ours.
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
#endif

TEST_SUITE_END();
