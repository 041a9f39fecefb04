// What native code has open, without Node: the table's functions against the end of an isolate, which here is a thread that ends the handle
// and overwrites the memory.
#include <pthread.h>
#include <signal.h>

#include "../capi/calls.h"
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

namespace threadsafe {

// Not tested here: opening needs Node.
threadsafe_status open_native_queue(const threadsafe_native*, threadsafe_type, std::size_t, const threadsafe_field*, std::size_t,
                                    threadsafe_queue**) {
  return THREADSAFE_FAILED;
}
threadsafe_status open_native_event(const threadsafe_native*, threadsafe_event**) { return THREADSAFE_FAILED; }

}  // namespace threadsafe

TEST_SUITE_BEGIN("native_code");

namespace {

// A doorbell that nobody has opened: rung, it does nothing.
constexpr u32 kSomeDoorbell = 0;

// Of no thread of the test's.
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
      numbers.reset();  // the memory, as when the last isolate lets go of it
    });
    run_together(bodies);
    threadsafe_queue_close(handle);
  }
}

TEST_CASE("who owns a handle last frees it, whoever that is") {
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

TEST_CASE("a handler's puts reach a consumer that is blocked, though its own handle ends at once") {
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
    // Now and then before it sleeps.
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

TEST_CASE("an event's handle: waiting, and the end of it") {
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

TEST_SUITE_END();
