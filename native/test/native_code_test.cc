// Handles of native code, without Node: the functions of the table against the end of an isolate.
// Here that is a thread which ends the handle and overwrites the memory.
#include <pthread.h>
#include <signal.h>

#include "../capi/calls.h"
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

namespace threadsafe {

// Stubs, as opening a handle needs Node.
threadsafe_status open_native_queue(const threadsafe_native*, threadsafe_type, std::size_t, const threadsafe_field*, std::size_t,
                                    threadsafe_queue**) {
  return THREADSAFE_FAILED;
}
threadsafe_status open_native_event(const threadsafe_native*, threadsafe_event**) { return THREADSAFE_FAILED; }

}  // namespace threadsafe

TEST_SUITE_BEGIN("native_code");

namespace {

// A doorbell that nobody has opened, so a ring does nothing.
constexpr u32 kSomeDoorbell = 0;

// An opener that is none of the test's threads.
Opener opener() {
  return {nullptr, [](void*) { return false; }, std::thread::id(), 1, kSomeDoorbell};
}

struct Numbers {
  explicit Numbers(u32 capacity)
      : queue(capacity, ElementType::float64, 8), handle(new OpenQueue(opener(), queue.header(), queue.header().geometry, 8)) {
    REQUIRE(start_unparking() == 0);
  }
  TestQueue queue;
  OpenQueue* const handle;
};

std::atomic<threadsafe_queue*> struck{nullptr};
std::atomic<u32> handler_puts{0};

void put_in_handler(int) {
  const double item = -1;
  threadsafe_queue* const queue = struck.load();
  if (queue && threadsafe_put_or_drop(queue, &item, sizeof item) == THREADSAFE_OK) handler_puts.fetch_add(1);
}

}  // namespace

TEST_CASE("the end waits for calls that are inside, wakes those that wait, and frees with the last owner") {
  for (u32 round = 0; round < scaled(400); round++) {
    const Watchdog watchdog("the end of a handle");
    auto numbers = std::make_unique<Numbers>(2);
    OpenQueue* const handle = numbers->handle;
    std::vector<std::function<void()>> bodies;
    std::atomic<u32> started{0};
    const auto until_closed = [&](auto&& call) {
      bodies.push_back([&started, call, handle] {
        started.fetch_add(1);
        double item = 1;
        while (call(handle, item) != THREADSAFE_CLOSED) {
        }
      });
    };
    until_closed([](OpenQueue* q, double& item) { return threadsafe_put(q, &item, sizeof item, THREADSAFE_FOREVER); });
    until_closed([](OpenQueue* q, double& item) { return threadsafe_put(q, &item, sizeof item, THREADSAFE_FOREVER); });
    until_closed([](OpenQueue* q, double& item) { return threadsafe_get(q, &item, sizeof item, nullptr, THREADSAFE_FOREVER); });
    until_closed([](OpenQueue* q, double& item) { return threadsafe_try_put(q, &item, sizeof item); });
    until_closed([](OpenQueue* q, double& item) { return threadsafe_try_get(q, &item, sizeof item, nullptr); });
    bodies.push_back([&] {
      wait_until([&] { return started.load() == 5; });
      std::this_thread::sleep_for(std::chrono::microseconds(round * 7 % 300));
      handle->end();
      numbers.reset();  // frees the memory, as when the last isolate lets go of it
    });
    run_together(bodies);
    threadsafe_queue_close(handle);
  }
}

TEST_CASE("the last owner of a handle frees it, whoever that is") {
  for (const bool closed_first : {false, true}) {
    auto numbers = std::make_unique<Numbers>(1);
    if (closed_first) {
      threadsafe_queue_close(numbers->handle);
      CHECK(numbers->handle->closed());
      numbers->handle->end();
    } else {
      numbers->handle->end();
      CHECK(threadsafe_queue_close(numbers->handle) == THREADSAFE_OK);
    }
  }
}

TEST_CASE("a handler's puts reach a blocked consumer, though the handler's handle ends at once") {
  struct sigaction action{}, before;
  action.sa_handler = put_in_handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, &before);
  for (u32 round = 0; round < scaled(2000); round++) {
    const Watchdog watchdog("a handler's item");
    Numbers numbers(4);
    auto* const others = new OpenQueue(opener(), numbers.queue.header(), numbers.queue.header().geometry, 8);
    std::thread consumer([&] {
      double item = 0;
      CHECK(threadsafe_get(others, &item, sizeof item, nullptr, THREADSAFE_FOREVER) == THREADSAFE_OK);
      CHECK(item == -1);
    });
    // Every fourth time the signal comes before the thread sleeps.
    if (round % 4 != 0) wait_until([&] { return threads_in(numbers.queue.header().not_empty.state.load()) == 1; });
    struck.store(numbers.handle);
    raise(SIGUSR1);
    struck.store(nullptr);
    numbers.handle->end();
    threadsafe_queue_close(numbers.handle);
    consumer.join();
    others->end();
    threadsafe_queue_close(others);
  }
  CHECK(handler_puts.load() == scaled(2000));
  sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("the end of an event's handle ends the calls that wait with it") {
  for (u32 round = 0; round < scaled(500); round++) {
    const Watchdog watchdog("an event's handle");
    TestEvent event;
    auto* const handle = new OpenEvent(opener(), event.header());
    std::thread waiter([&] {
      while (threadsafe_event_wait(handle, THREADSAFE_FOREVER) != THREADSAFE_CLOSED) threadsafe_event_clear(handle);
    });
    for (u32 k = 0; k < 20; k++) threadsafe_event_set(handle);
    handle->end();
    waiter.join();
    threadsafe_event_close(handle);
  }
}

// The helper thread unparks late, and a waiter that comes and goes takes permits that were meant
// for others.
TEST_CASE("an event that is set by native code wakes all who wait, while others come and go") {
  REQUIRE(start_unparking() == 0);
  constexpr u32 kWaiters = 4;  // half of them come and go
  const u32 rounds = scaled(5000);
  TestEvent event;
  auto* const setter = new OpenEvent(opener(), event.header());
  auto* const waiter = new OpenEvent(opener(), event.header());
  std::atomic<u32> round{0};
  std::atomic<u32> woken{0};
  const auto wait_each_round = [&](double milliseconds) {
    for (u32 mine = 1; mine <= rounds; mine++) {
      wait_until([&] { return round.load() >= mine; });
      while (threadsafe_event_wait(waiter, milliseconds) != THREADSAFE_OK) {
      }
      woken++;
    }
  };
  const Watchdog watchdog("a waiter of an event that native code has set");
  const auto stay = [&] { wait_each_round(THREADSAFE_FOREVER); };
  const auto come_and_go = [&] { wait_each_round(0.05); };
  run_together({stay, stay, come_and_go, come_and_go, [&] {
                  Random random(7);
                  for (u32 k = 1; k <= rounds; k++) {
                    threadsafe_event_clear(setter);
                    round = k;
                    const auto pause = Clock::now() + std::chrono::nanoseconds(random.below(400'000));
                    wait_until([&] { return Clock::now() >= pause; });
                    threadsafe_event_set(setter);
                    wait_until([&] { return woken.load() == k * kWaiters; });
                  }
                }});
  CHECK(event.waiters().state.load() == 0);
  for (OpenEvent* const handle : {setter, waiter}) {
    handle->end();
    threadsafe_event_close(handle);
  }
}

TEST_CASE("each item of a handler wakes a getter, while others come and go") {
  struct sigaction action{}, before;
  action.sa_handler = put_in_handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, &before);
  constexpr u32 kPatient = 3;
  constexpr u32 kGetters = kPatient + 1;
  const u32 rounds = scaled(3000);
  Numbers numbers(kGetters);
  std::atomic<u32> round{0};
  std::atomic<u32> got{0};
  const auto get_each_round = [&](double milliseconds) {
    for (u32 mine = 1; mine <= rounds; mine++) {
      wait_until([&] { return round.load() >= mine; });
      double item = 0;
      while (threadsafe_get(numbers.handle, &item, sizeof item, nullptr, milliseconds) != THREADSAFE_OK) {
      }
      got++;
    }
  };
  const Watchdog watchdog("a getter beside a handler's item");
  std::vector<std::function<void()>> bodies(kPatient, [&] { get_each_round(THREADSAFE_FOREVER); });
  bodies.push_back([&] { get_each_round(0.05); });
  bodies.push_back([&] {
    Random random(8);
    struck.store(numbers.handle);
    for (u32 k = 1; k <= rounds; k++) {
      round = k;
      const auto pause = Clock::now() + std::chrono::nanoseconds(random.below(200'000));
      wait_until([&] { return Clock::now() >= pause; });
      for (u32 item = 0; item < kGetters; item++) raise(SIGUSR1);
      wait_until([&] { return got.load() == k * kGetters; });
    }
    struck.store(nullptr);
  });
  run_together(bodies);
  CHECK(numbers.queue.nobody_waits());
  numbers.handle->end();
  threadsafe_queue_close(numbers.handle);
  sigaction(SIGUSR1, &before, nullptr);
}

// A small message may be put beside the large one of a busy event loop that has the priority token,
// but another large one may not. In each round the handler's calls make room for the small one
// alone.
TEST_CASE("room made by native code wakes a small putter, though a large one takes the permits") {
  REQUIRE(start_unparking() == 0);
  constexpr Putter kLoop{9, true};
  constexpr u32 kSlot = 8;
  const auto none = [](const Span&) {};
  const u32 rounds = scaled(3000);
  Random random(9);
  const Watchdog watchdog("a small putter beside room");
  for (u32 round = 0; round < rounds; round++) {
    TestQueue queue(4);
    auto* const handle = new OpenQueue(opener(), queue.header(), queue.header().geometry, 0);
    for (u32 k = 0; k < 4; k++) queue.try_put_message(kSlot, k);
    REQUIRE(queue.core().attempt_waiting_put(kLoop, true, 2 * kSlot, none) == Status::full);
    const unsigned char message[3 * kSlot] = {};
    std::atomic<bool> small_is_in{false};
    run_together({[&] {
                    CHECK(threadsafe_put(handle, message, kSlot, THREADSAFE_FOREVER) == THREADSAFE_OK);
                    small_is_in = true;
                  },
                  [&] { CHECK(threadsafe_put(handle, message, 3 * kSlot, THREADSAFE_FOREVER) == THREADSAFE_OK); },
                  [&] {
                    wait_until([&] { return announced(queue.header().not_full) == 2; });
                    unsigned char got[3 * kSlot];
                    for (u32 k = 0; k < 3; k++) {
                      CHECK(threadsafe_try_get(handle, got, sizeof got, nullptr) == THREADSAFE_OK);
                      const auto pause = Clock::now() + std::chrono::nanoseconds(random.below(50'000));
                      wait_until([&] { return Clock::now() >= pause; });
                    }
                    wait_until([&] { return small_is_in.load(); });
                    for (u32 k = 0; k < 3; k++)
                      CHECK(threadsafe_get(handle, got, sizeof got, nullptr, THREADSAFE_FOREVER) == THREADSAFE_OK);
                  }});
    queue.core().give_up_token(kLoop);
    CHECK(queue.nobody_waits());
    handle->end();
    threadsafe_queue_close(handle);
  }
}

TEST_SUITE_END();
