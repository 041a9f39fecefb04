// Installing beside others: another thread, libuv, and a child of fork(2).
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <utility>

#include "../platform/doorbell.h"
#include "signals_support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("signals");

TEST_CASE("a source reports whether the process's handler is ours") {
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

#ifndef THREAD_SANITIZER  // whose sigaction() copies the old action, and then sets the new one
TEST_CASE("a handler that another thread installs while ours is being installed is called, and restored afterwards") {
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
#endif

namespace {

// A loop that listens to a signal, as Node's main loop does for process.on().
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

TEST_CASE("libuv displaces no handler when it comes and goes, and the previous handler is restored at the end") {
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
          // Our handler is there on behalf of several sources.
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

TEST_CASE("a handler that passes signals on to libuv's does not make libuv receive a signal twice") {
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

#ifndef THREAD_SANITIZER  // which keeps signals back
TEST_CASE("in a forked child that does not execute, handlers before ours get their signals, and nobody is woken in the parent") {
  const Watchdog watchdog("a child");
  struct sigaction theirs{};
  theirs.sa_handler = [](int) { previous_handler_calls++; };
  sigaction(SIGUSR2, &theirs, nullptr);
  SignalQueue queue(4);
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  static std::atomic<u32> rings{0};
  const u32 bell = open_doorbell(&loop, false, [](void*) { rings++; }, nullptr);
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

TEST_SUITE_END();
