// Timers that send signals, and the threads that take them.
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/ticker.h"
#include "signals_support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("signals");

#ifdef __linux__
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

TEST_CASE("a timer that can't be made gets no signal, though others of that number arrive") {
  const int signo = SIGRTMIN + 3;
  const u32 rounds = scaled(100'000);
  const Watchdog watchdog("timers that fail", std::chrono::seconds(120));
  SignalQueue others(1);
  SignalQueue none(1);
  const Source source(attach_signal(signo, {&others.header(), nullptr}));  // so the handler stays
  // The thread sends to the process, and this one does not take them.
  std::atomic<bool> over{false};
  std::thread sender([&] {
    while (!over) kill(getpid(), signo);
  });
  sigset_t taken;
  sigset_t before;
  sigemptyset(&taken);
  sigaddset(&taken, signo);
  pthread_sigmask(SIG_BLOCK, &taken, &before);
  // No timer can be made, while kill() needs no room for what it sends.
  u32 made = 0;
  {
    const PendingLimit nothing(0);
    for (u32 round = 0; round < rounds; round++) {
      const Attached attached = attach_timer(signo, {50'000, true, {}}, {&none.header(), nullptr});
      if (attached.error == EAGAIN) continue;
      made++;
      if (attached.error == 0) detach_source(attached.source);
    }
  }
  over = true;
  sender.join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(made == 0);
  CHECK(source.counts().dropped > 0);
  SignalInfo info;
  CHECK(none.try_get_info(info) == Status::empty);
}

TEST_CASE("if a tick stays pending, the handler stays for it") {
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
  // The tick arrives now, for no source.
  pthread_sigmask(SIG_UNBLOCK, &ticks, nullptr);
  SignalInfo info;
  CHECK(queue.try_get_info(info) == Status::empty);
}

TEST_CASE("a timer with a heartbeat reports each beat that grows old, once") {
  SignalQueue queue(4);
  const Watchdog watchdog("an old heartbeat");
  Atomic<u64> beat{0};
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<u64>(time.tv_sec) * 1'000'000'000 + static_cast<u64>(time.tv_nsec);
  };
  const u64 limit = 5'000'000;
  // A second timer runs on the same clock. Waiting for some of its ticks shows that the first was
  // silent.
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

#ifndef THREAD_SANITIZER  // which can't have a child of fork(2) start threads
TEST_CASE("the threads of timers take only the signals of timers, and leave others to threads that wait for them") {
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
    // A signal that no timer uses any more is like any other.
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
#endif

TEST_SUITE_END();
