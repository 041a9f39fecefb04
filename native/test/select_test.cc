// Threads that wait at several lists at once. The watchdog finds a thread that has lost a wake.
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("select");

namespace {

struct QueueSource {
  TestQueue* queue;
  WaitList& list() const { return queue->header().not_empty; }
  bool ready() const { return get_ready(queue->header(), queue->header().geometry, queue->slots()); }
  void pass_on() const { queue->core().pass_on_get(); }
};

struct EventSource {
  TestEvent* event;
  u64 since;
  WaitList& list() const { return event->waiters(); }
  bool ready() const { return Event<ThreadWake>::done(since, event->core().word()); }
  void pass_on() const {}
};

template <class Source>
std::vector<Place> places_of(const std::vector<Source>& sources) {
  std::vector<Place> places;
  for (const Source& source : sources) places.emplace_back(source.list());
  return places;
}

template <class Source>
Status wait_patiently(const std::vector<Source>& sources) {
  std::vector<Place> places = places_of(sources);
  PatientParker parker(places);
  return wait_any(sources, parker);
}

template <class Source>
Status wait_until_deadline(const std::vector<Source>& sources, Deadline deadline) {
  std::vector<Place> places = places_of(sources);
  StopCheck unstopped([] { return false; });
  ThreadParker parker(places, deadline, unstopped);
  return wait_any(sources, parker);
}

}  // namespace

TEST_CASE("a closed queue has not ended while its last item is still being copied in") {
  TestQueue queue(1, ElementType::uint32, 4);
  const std::vector<QueueSource> sources{{&queue}};
  Status while_copied = Status::ok;
  queue.core().try_put(4, [&](const Span&) {
    queue.core().close();
    while_copied = wait_until_deadline(sources, Deadline::after(5));
  });
  CHECK(while_copied == Status::timeout);
  CHECK(wait_patiently(sources) == Status::ok);
}

TEST_CASE("a select is ready for an item, the end of a queue and an event, and not before") {
  TestQueue first(1, ElementType::uint32, 4);
  TestQueue second(1, ElementType::uint32, 4);
  TestEvent event;
  const std::vector<QueueSource> queues{{&first}, {&second}};
  CHECK(wait_until_deadline(queues, Deadline::after(0)) == Status::timeout);
  CHECK(wait_until_deadline(queues, Deadline::after(5)) == Status::timeout);
  second.try_put(1);
  CHECK(wait_patiently(queues) == Status::ok);
  u32 value;
  CHECK(second.try_get(value) == Status::ok);
  CHECK(wait_until_deadline(queues, Deadline::after(0)) == Status::timeout);
  first.core().close();
  CHECK(wait_patiently(queues) == Status::ok);

  const u64 since = event.core().word();
  CHECK(wait_until_deadline(std::vector<EventSource>{{&event, since}}, Deadline::after(1)) == Status::timeout);
  event.core().set();
  event.core().clear();
  CHECK(wait_patiently(std::vector<EventSource>{{&event, since}}) == Status::ok);
  CHECK(first.nobody_waits());
  CHECK(second.nobody_waits());
  CHECK(event.waiters().state.load(memory_order_seq_cst) == 0);
}

// All threads sleep without a deadline, so a wake that is not passed on brings all of them to rest.
TEST_CASE("several select from the same queues, and others get from one: each item once") {
  constexpr u32 kQueues = 4;
  constexpr u32 kProducers = 3;
  const u32 items = scaled(40'000) / kQueues * kQueues;
  for (const u32 capacity : {1u, 8u}) {
    CAPTURE(capacity);
    const Watchdog watchdog("select, capacity " + std::to_string(capacity), std::chrono::seconds(120));
    std::vector<std::unique_ptr<TestQueue>> queues;
    for (u32 k = 0; k < kQueues; k++) queues.push_back(std::make_unique<TestQueue>(capacity, ElementType::uint32, 4));
    std::vector<std::atomic<u32>> times(kProducers * items);
    std::atomic<u32> producing{kProducers};
    const auto took = [&](u32 value) { times[value].fetch_add(1, std::memory_order_relaxed); };
    const auto select = [&](bool gives_up) {
      std::vector<QueueSource> open;
      for (const auto& queue : queues) open.push_back({queue.get()});
      Random random(7);
      while (!open.empty()) {
        if (gives_up)
          wait_until_deadline(open, Deadline::after(random.below(50) / 1000.0));
        else
          wait_patiently(open);
        const u32 start = random.below(static_cast<u32>(open.size()));
        for (u32 k = 0; k < open.size(); k++) {
          const u32 which = (start + k) % static_cast<u32>(open.size());
          u32 value;
          const Status status = open[which].queue->try_get(value);
          if (status == Status::ok) took(value);
          if (status == Status::closed) open.erase(open.begin() + which);
          if (status != Status::empty) break;
        }
      }
    };
    std::vector<std::function<void()>> bodies{[&] { select(false); }, [&] { select(false); }, [&] { select(true); },
                                              [&] {
                                                u32 value;
                                                while (queues[1]->get(PatientParker(queues[1]->header().not_empty), value) == Status::ok)
                                                  took(value);
                                              }};
    for (u32 producer = 0; producer < kProducers; producer++) {
      bodies.push_back([&, producer] {
        for (u32 k = 0; k < items; k++) {
          TestQueue& queue = *queues[k % kQueues];
          queue.put(PatientParker(queue.header().not_full), producer * items + k);
        }
        if (--producing > 0) return;
        for (const auto& queue : queues) queue->core().close();
      });
    }
    run_together(bodies);
    u32 wrong = 0;
    for (const auto& n : times) wrong += n != 1;
    CHECK(wrong == 0);
    for (const auto& queue : queues) CHECK(queue->nobody_waits());
  }
}

TEST_CASE("an event that is set and cleared at once wakes all who wait for it among others") {
  const u32 rounds = scaled(500);
  const Watchdog watchdog("select an event", std::chrono::seconds(120));
  TestEvent other;
  TestEvent event;
  for (u32 round = 0; round < rounds; round++) {
    const auto wait = [&] {
      CHECK(wait_patiently(std::vector<EventSource>{{&other, other.core().word()}, {&event, event.core().word()}}) == Status::ok);
    };
    run_together({wait, wait, [&] {
                    wait_until([&] { return announced(event.waiters()) == 2; });
                    event.core().set();
                    event.core().clear();
                  }});
    REQUIRE(other.waiters().state.load(memory_order_seq_cst) == 0);
    REQUIRE(event.waiters().state.load(memory_order_seq_cst) == 0);
  }
}

TEST_SUITE_END();
