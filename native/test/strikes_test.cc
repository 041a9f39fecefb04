// A signal handler puts and gets on the queue that the thread it strikes is using at that moment.
// Nobody waits here: signals_test.cc tests what a handler does for waiters.
#include <pthread.h>
#include <signal.h>

#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("strikes");

namespace {

// The handler's work, which is set while no signal can arrive.
std::function<void()>* on_strike = nullptr;
std::atomic<u32> strikes{0};

extern "C" void strike(int) {
  (*on_strike)();
  strikes.fetch_add(1, std::memory_order_relaxed);
}

// Runs `victim` again and again while a storm of signals strikes its thread, until there were that
// many, or until 3 s have passed and there were a few. On a busy machine a strike takes as long as
// the thread waits for a core.
void under_fire(u32 number_of_strikes, std::function<void()> handler, const std::function<void()>& victim) {
  constexpr u32 kFew = 500;
  on_strike = &handler;
  strikes = 0;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = strike;
  sigaction(SIGUSR1, &action, &before);
  std::atomic<bool> cease{false};
  std::thread thread([&] {
    while (!cease) victim();
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (u32 k = 0; k < number_of_strikes && (k < kFew || std::chrono::steady_clock::now() < end); k++) {
    pthread_kill(thread.native_handle(), SIGUSR1);
    // A signal that is still pending would swallow the next one.
    wait_until([&] { return strikes.load(std::memory_order_relaxed) > k; });
  }
  cease = true;
  thread.join();
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace

TEST_CASE("the handler puts, the thread puts and gets") {
  for (const u32 capacity : {1u, 2u, 3u}) {
    CAPTURE(capacity);
    TestQueue queue(capacity, ElementType::uint32, 4);
    const Watchdog watchdog("strikes that put, capacity " + std::to_string(capacity));
    u64 put = 0;
    u64 got = 0;
    std::atomic<u32> next_by_handler{1};
    u32 last_from_handler = 0;
    u32 out_of_order = 0;
    const auto get = [&] {
      u32 value;
      if (queue.try_get(value) != Status::ok) return false;
      if (value == 0) {
        got++;
      } else {
        // The handler's own numbers must come in order.
        out_of_order += value <= last_from_handler;
        last_from_handler = value;
      }
      return true;
    };
    under_fire(
        scaled(100'000),
        [&] {
          if (queue.try_put(next_by_handler) == Status::ok) next_by_handler++;
        },
        [&] {
          put += queue.try_put(0) == Status::ok;
          get();
        });
    while (get()) {
    }
    CHECK(got == put);
    CHECK(out_of_order == 0);
    CHECK(last_from_handler == next_by_handler - 1);
    CHECK(queue.core().size() == 0);
  }
}

TEST_CASE("the handler gets, the thread puts and gets") {
  for (const u32 capacity : {1u, 3u}) {
    CAPTURE(capacity);
    TestQueue queue(capacity, ElementType::uint32, 4);
    const Watchdog watchdog("strikes that get, capacity " + std::to_string(capacity));
    std::atomic<u64> put_sum{0};
    std::atomic<u64> got_sum{0};
    u32 next = 1;
    const auto get = [&] {
      u32 value;
      if (queue.try_get(value) != Status::ok) return false;
      got_sum.fetch_add(value, std::memory_order_relaxed);
      return true;
    };
    under_fire(scaled(100'000), get, [&] {
      if (queue.try_put(next) == Status::ok) put_sum.fetch_add(next++, std::memory_order_relaxed);
      get();
    });
    while (get()) {
    }
    CHECK(put_sum == got_sum);
  }
}

TEST_CASE("long messages, and a full queue that drops the oldest") {
  for (const Overflow overflow : {Overflow::reject, Overflow::drop_oldest}) {
    TestQueue queue(5, ElementType::bytes, 8, overflow);
    const Watchdog watchdog("strikes among long messages");
    const auto message = TestQueue::message_of(24, 9);
    std::atomic<u32> put{0};
    std::atomic<u32> got{0};
    std::atomic<u32> torn{0};
    const auto offer = [&](u32 bytes) {
      put += queue.core().offer(bytes, [&](const Span& span) { queue.slots().copy_in(span, message.data()); }) == Status::ok;
    };
    const auto get = [&] {
      unsigned char buffer[24];
      u32 length = 0;
      const Status status = queue.core().try_get(sizeof buffer, [&](const Span& span) {
        length = span.bytes;
        queue.slots().copy_out(span, buffer);
      });
      if (status != Status::ok) return false;
      got++;
      torn += std::memcmp(buffer, message.data(), length) != 0;
      return true;
    };
    under_fire(
        scaled(100'000), [&] { offer(17); },
        [&] {
          offer(24);
          offer(3);
          get();
        });
    while (get()) {
    }
    const u32 forgotten = overflow == Overflow::drop_oldest ? queue.header().dropped.load(memory_order_relaxed) : 0;
    CHECK(torn == 0);
    // Each accepted item was got, or made room. `forgotten` also counts those dropped as the
    // newest.
    CHECK(got <= put);
    CHECK(got + forgotten >= put);
  }
}

TEST_CASE("an event that the handler sets and the thread clears") {
  TestEvent event;
  const Watchdog watchdog("strikes that set");
  const u64 began = event.core().word();
  under_fire(scaled(100'000), [&] { event.core().set(); }, [&] { event.core().clear(); });
  event.core().set();
  CHECK(event.core().is_set());
  CHECK(Event<ThreadWake>::done(began, event.core().word()));
}

TEST_SUITE_END();
