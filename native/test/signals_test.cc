// Signal sources with the helper thread and doorbells, but without Node: libuv is the system's.
// signals_chain_test.cc and signals_install_test.cc test signals that are shared with others.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "../platform/doorbell.h"
#include "signals_support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("signals");

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
                    // A victim that is not running takes all pending strikes as one, so there are
                    // fewer on a busy machine.
                    const auto end = Clock::now() + std::chrono::seconds(15);
                    for (u32 k = 0; received() < strikes && Clock::now() < end; k++) pthread_kill(victims[k % 3], SIGUSR2);
                    over = true;
                    silent = true;
                  }});
    counts = source.counts();
  }
  CHECK(counts.delivered == got_from_handler);
  CHECK(put_by_threads == got_from_threads);
  CHECK(counts.delivered > 0);
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

TEST_CASE("two sources of one signal both get it; a full queue counts what it drops") {
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

TEST_CASE("sources come and go while signals arrive") {
  const u32 rounds = scaled(2'000);
  const Watchdog watchdog("attach and detach", std::chrono::seconds(120));
  // This source keeps the signal's handler there while the others are gone.
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

#ifdef __linux__
TEST_CASE("what the kernel puts into the sender's place is not reported as a sender") {
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

// ThreadSanitizer delays signals until the thread calls something, and keeps at most one of each
// number, so the others would be lost.
#ifndef THREAD_SANITIZER
TEST_CASE("of up to a million values sent to a thread that puts and gets on the same queue, none is lost or doubled") {
  const u32 strikes = 1'000'000;
  SignalQueue queue(64);
  const Watchdog watchdog("a million strikes", std::chrono::seconds(300));
  const PendingLimit limit(10'000);
  const int signo = SIGRTMIN + 5;
  std::vector<unsigned char> seen(strikes);
  u32 sent = 0, got = 0, put_by_thread = 0, got_from_thread = 0, doubled = 0, untold = 0;
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
                    const auto end = Clock::now() + std::chrono::seconds(15);  // on a busy machine there are fewer
                    for (u32 k = 0; k < strikes && Clock::now() < end; k++, sent++) {
                      info.si_value.sival_int = static_cast<int>(k);
                      while (syscall(SYS_rt_tgsigqueueinfo, getpid(), victim.load(), signo, &info) != 0) {
                        REQUIRE(errno == EAGAIN);  // as many are on their way as the system allows
                        std::this_thread::yield();
                      }
                      // The distances are random, so that each strikes the thread somewhere else.
                      // Waiting for each would take a time slice if both threads share a processor.
                      for (u32 spins = random.below(5'000); spins > 0; spins--) std::atomic_signal_fence(std::memory_order_seq_cst);
                    }
                    wait_until([&] { return source.counts().delivered + source.counts().dropped == sent; });
                    over = true;
                  }});
    while (take()) {
    }
    counts = source.counts();
  }
  CHECK(counts.delivered + counts.dropped == sent);
  CHECK(got == counts.delivered);
  CHECK(got_from_thread == put_by_thread);
  CHECK(doubled == 0);
  CHECK(untold == 0);
  CHECK(queue.core().size() == 0);
  CHECK(counts.delivered > 0);
}
#endif
#endif

TEST_CASE("a doorbell wakes its loop, wherever it is rung; a late ring does nothing") {
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
                    state.bell = open_doorbell(&loop, false, on_ring, &state);
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
