// Threads that block in put and get. The watchdog finds a thread that has lost a wake.
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("blocking");

namespace {

// A Parker whose deadline passes during its first sleep, just after something has happened.
template <class Happens>
struct TooLate {
  Happens happens;

  bool pause() { return false; }
  template <class MaySleep>
  Status sleep(MaySleep&&) {
    happens();
    return Status::timeout;
  }
  void leave() {}
  bool slept() const { return true; }
};

}  // namespace

TEST_CASE("an item that is there when the deadline passes is taken") {
  TestQueue queue(2, ElementType::uint32, 4);
  u32 value = 0;
  CHECK(queue.get(TooLate{[&] { queue.try_put(7); }}, value) == Status::ok);
  CHECK(value == 7);
  CHECK(queue.get(TooLate{[] {}}, value) == Status::timeout);
  queue.try_put(1);
  queue.try_put(2);
  CHECK(queue.put(TooLate{[&] { queue.try_get(value); }}, 3) == Status::ok);
  CHECK(queue.put(TooLate{[] {}}, 4) == Status::timeout);
  CHECK(queue.core().size() == 2);
  CHECK(queue.nobody_waits());
}

TEST_CASE("a deadline that passes during another's copy differs from one that passes at an empty or full queue") {
  TestQueue queue(2, ElementType::uint32, 4);
  u32 value = 0;
  queue.core().attempt_put(4, [&](const Span&) { CHECK(queue.get(TooLate{[] {}}, value) == Status::busy); });
  queue.try_put(2);
  queue.core().attempt_get(4, [&](const Span&) { CHECK(queue.put(TooLate{[] {}}, 3) == Status::busy); });
  CHECK(queue.nobody_waits());
}

namespace {

// Puts of messages of eight bytes per slot, which may wait.
struct Puts {
  TestQueue& queue;

  Status waiting(Putter putter, bool woken, u32 slots) {
    return with(slots, [&](u32 bytes, auto write) { return queue.core().attempt_waiting_put(putter, woken, bytes, write); });
  }
  Status past_token(u32 slots) {
    return with(slots, [&](u32 bytes, auto write) { return queue.core().put_past_token(bytes, write); });
  }
  u32 get_all() {
    std::vector<unsigned char> message;
    u32 got = 0;
    while (queue.try_get_message(message) == Status::ok) got++;
    return got;
  }

 private:
  template <class Put>
  Status with(u32 slots, Put&& put) {
    const auto message = TestQueue::message_of(slots * 8, slots);
    return put(slots * 8, [&](const Span& span) { queue.slots().copy_in(span, message.data()); });
  }
};

constexpr Putter kShort{2, false};
constexpr Putter kShortOfLoop{2, true};

}  // namespace

TEST_CASE("a put that may wait heeds the priority token at its first try, one that does not wait does not") {
  TestQueue queue(4);
  Puts puts{queue};
  for (const bool is_loop : {false, true}) {
    CAPTURE(is_loop);
    const Putter longer{1, is_loop};
    for (u32 k = 0; k < 2; k++) queue.try_put_message(8, k);
    CHECK(puts.waiting(longer, true, 4) == Status::full);
    CHECK(puts.waiting(kShort, false, 1) == Status::full);
    CHECK(puts.waiting(kShortOfLoop, false, 1) == Status::full);
    CHECK(queue.try_put_message(8, 2) == Status::ok);
    // A blocked thread does not wait for its own loop, which can't run meanwhile, and leaves the
    // loop its token.
    CHECK(puts.waiting({1, !is_loop}, false, 1) == Status::ok);
    CHECK(puts.waiting(kShort, false, 1) == Status::full);
    CHECK(puts.get_all() == 4);
    CHECK(puts.waiting(longer, true, 4) == Status::ok);
    CHECK(puts.get_all() == 1);
    CHECK(puts.waiting(kShort, false, 1) == Status::ok);
    CHECK(puts.get_all() == 1);
  }
  CHECK(queue.nobody_waits());
}

TEST_CASE("others go ahead of a loop if there is room for both, or nothing in the queue") {
  TestQueue queue(4);
  Puts puts{queue};
  const Putter loop{1, true};
  queue.try_put_message(8, 1);
  queue.try_put_message(16, 2);
  CHECK(puts.waiting(loop, true, 2) == Status::full);
  CHECK(puts.waiting(kShort, false, 1) == Status::full);
  CHECK(puts.get_all() == 2);
  for (const Status expected : {Status::ok, Status::ok, Status::full}) CHECK(puts.waiting(kShort, false, 1) == expected);
  CHECK(puts.waiting(loop, true, 2) == Status::ok);
  CHECK(puts.get_all() == 3);
  // The loop's put now needs all slots.
  queue.try_put_message(8, 1);
  CHECK(puts.waiting(loop, true, 4) == Status::full);
  for (u32 k = 0; k < 20; k++) {
    CHECK(puts.get_all() == 1);
    CHECK(puts.waiting(kShort, false, 1) == Status::ok);
    CHECK(puts.waiting(kShort, false, 1) == Status::full);
  }
}

TEST_CASE("a loop that keeps trying is overtaken only so often") {
  TestQueue queue(4);
  Puts puts{queue};
  const Putter loop{1, true};
  queue.try_put_message(8, 1);
  u32 rounds = 0;
  do {
    CHECK(puts.waiting(loop, true, 4) == Status::full);
    CHECK(puts.get_all() == 1);
    rounds++;
  } while (rounds < 10 && puts.waiting(kShort, false, 1) == Status::ok);
  CHECK(rounds == 4);
  SUBCASE("it puts") {
    CHECK(puts.waiting(loop, true, 4) == Status::ok);
    CHECK(puts.get_all() == 1);
  }
  SUBCASE("it counts as busy once others have waited for it in vain") {
    CHECK(puts.past_token(1) == Status::ok);
    CHECK(puts.get_all() == 1);
    CHECK(puts.waiting(kShort, false, 1) == Status::ok);
    CHECK(puts.get_all() == 1);
    queue.core().give_up_token(loop);
  }
  CHECK(queue.nobody_waits());
}

TEST_CASE("4 producers, 4 consumers: each item once, in order for each producer") {
  constexpr u32 kThreads = 4;
  const u32 items = scaled(50'000);
  for (const u32 capacity : {1u, 2u, 7u}) {
    CAPTURE(capacity);
    TestQueue queue(capacity, ElementType::uint32, 4);
    const Watchdog watchdog("4 by 4, capacity " + std::to_string(capacity), std::chrono::seconds(120));
    std::vector<std::atomic<u32>> times(kThreads * items);
    std::atomic<u32> out_of_order{0};
    std::atomic<u32> consumed{0};
    std::vector<std::function<void()>> bodies;
    for (u32 producer = 0; producer < kThreads; producer++) {
      bodies.push_back([&, producer] {
        for (u32 k = 0; k < items; k++) queue.put(parker(queue.header().not_full), producer * items + k);
      });
      bodies.push_back([&] {
        std::vector<u32> next(kThreads, 0);
        u32 value;
        while (queue.get(parker(queue.header().not_empty), value) == Status::ok) {
          times[value].fetch_add(1, std::memory_order_relaxed);
          u32& expected = next[value / items];
          if (value % items < expected) out_of_order++;
          expected = value % items + 1;
          if (consumed.fetch_add(1) + 1 == kThreads * items) queue.core().close();
        }
      });
    }
    run_together(bodies);
    u32 wrong = 0;
    for (const auto& n : times) wrong += n != 1;
    CHECK(wrong == 0);
    CHECK(out_of_order == 0);
    CHECK(queue.nobody_waits());
  }
}

TEST_CASE("messages of all lengths: whole, each once") {
  constexpr u32 kThreads = 3;
  const u32 messages = scaled(20'000);
  for (const u32 capacity : {4u, 5u, 16u}) {
    CAPTURE(capacity);
    TestQueue queue(capacity);
    const Watchdog watchdog("messages of all lengths, capacity " + std::to_string(capacity), std::chrono::seconds(120));
    std::atomic<u64> sum_put{0};
    std::atomic<u64> sum_got{0};
    std::atomic<u32> torn{0};
    std::atomic<u32> producing{kThreads};
    std::vector<std::function<void()>> bodies;
    for (u32 thread = 1; thread <= kThreads; thread++) {
      bodies.push_back([&, thread] {
        Random random(thread);
        for (u32 k = 0; k < messages; k++) {
          const u32 bytes = random.below(4 * 8) + 1;
          queue.put_message(parker(queue.header().not_full), thread, bytes, k);
          sum_put += bytes;
        }
        if (--producing == 0) queue.core().close();
      });
      bodies.push_back([&] {
        std::vector<unsigned char> message;
        while (queue.get_message(parker(queue.header().not_empty), message) == Status::ok) {
          sum_got += message.size();
          for (std::size_t k = 1; k < message.size(); k++) {
            if (message[k] != static_cast<unsigned char>(message[0] + k * 7)) torn++;
          }
        }
      });
    }
    run_together(bodies);
    CHECK(torn == 0);
    CHECK(sum_got == sum_put);
    CHECK(queue.nobody_waits());
  }
}

TEST_CASE("no putter starves, large or small, while others keep the queue full") {
  for (const u32 flooding_slots : {1u, 4u}) {
    CAPTURE(flooding_slots);
    const u32 rounds = scaled(300);
    TestQueue queue(4);
    const Watchdog watchdog("a put of " + std::to_string(5 - flooding_slots) + " slots among puts of " + std::to_string(flooding_slots),
                            std::chrono::seconds(120));
    const auto flood = [&](u32 putter) {
      while (queue.put_message(parker(queue.header().not_full), putter, flooding_slots * 8, putter) == Status::ok) {
      }
    };
    run_together({[&] { flood(1); }, [&] { flood(2); },
                  [&] {
                    std::vector<unsigned char> message;
                    while (queue.get_message(parker(queue.header().not_empty), message) == Status::ok) {
                    }
                  },
                  [&] {
                    for (u32 k = 0; k < rounds; k++) queue.put_message(parker(queue.header().not_full), 3, (5 - flooding_slots) * 8, k);
                    queue.core().close();
                  }});
    CHECK(queue.nobody_waits());
  }
}

TEST_CASE("a wait that times out takes no item and leaves no trace") {
  TestQueue queue(2, ElementType::uint32, 4);
  u32 value = 7;
  CHECK(queue.get(parker(queue.header().not_empty, Deadline::after(0)), value) == Status::timeout);
  CHECK(queue.get(parker(queue.header().not_empty, Deadline::after(5)), value) == Status::timeout);
  CHECK(value == 7);
  queue.try_put(1);
  queue.try_put(2);
  CHECK(queue.put(parker(queue.header().not_full, Deadline::after(5)), 3) == Status::timeout);
  CHECK(queue.core().size() == 2);
  CHECK(queue.nobody_waits());
}

TEST_CASE("items are got once, though others give up at that moment") {
  TestQueue queue(1, ElementType::uint32, 4);
  const u32 items = scaled(20'000);
  const Watchdog watchdog("waits that time out", std::chrono::seconds(120));
  std::atomic<u64> sum_got{0};
  std::atomic<u32> got{0};
  const auto get = [&](u32 seed) {
    Random random(seed);
    for (;;) {
      u32 value;
      const Status status = queue.get(parker(queue.header().not_empty, Deadline::after(random.below(100) / 1000.0)), value);
      if (status == Status::closed) return;
      if (status != Status::ok) continue;
      sum_got += value;
      got++;
    }
  };
  run_together({[&] { get(1); }, [&] { get(2); }, [&] { get(3); },
                [&] {
                  Random random(4);
                  for (u32 k = 1; k <= items;) {
                    k += queue.put(parker(queue.header().not_full, Deadline::after(random.below(100) / 1000.0)), k) == Status::ok;
                  }
                  queue.core().close();
                }});
  CHECK(got == items);
  CHECK(sum_got == u64{items} * (items + 1) / 2);
  CHECK(queue.nobody_waits());
}

// Tokens go back and forth between two queues. Each wait has a partner, so if a wake is lost, all
// threads come to rest.
TEST_CASE("no wake is lost: tokens go back and forth") {
  constexpr u32 kThreads = 3;
  for (const u32 capacity : {1u, 2u, 5u}) {
    CAPTURE(capacity);
    TestQueue there(capacity, ElementType::uint32, 4);
    TestQueue back(capacity, ElementType::uint32, 4);
    const u32 rounds = scaled(20'000);
    const Watchdog watchdog("tokens, capacity " + std::to_string(capacity), std::chrono::seconds(120));
    const auto pass = [&](TestQueue& from, TestQueue& to, u32 seed) {
      Random random(seed);
      u32 token;
      while (true) {
        // A quarter of the waits have a deadline, the others none.
        Status status = Status::timeout;
        if (random.below(4) == 0) status = from.get(parker(from.header().not_empty, Deadline::after(random.below(50) / 1000.0)), token);
        // Busy is a deadline that has passed during another's copy.
        if (status == Status::timeout || status == Status::busy) status = from.get(PatientParker(from.header().not_empty), token);
        if (status != Status::ok) break;
        if (token == 0) {
          there.core().close();
          back.core().close();
          break;
        }
        to.put(PatientParker(to.header().not_full), token - 1);
      }
    };
    std::vector<std::function<void()>> bodies;
    for (u32 thread = 0; thread < kThreads; thread++) {
      bodies.push_back([&, thread] { pass(there, back, thread + 1); });
      bodies.push_back([&, thread] { pass(back, there, thread + 11); });
    }
    for (u32 token = 0; token < capacity; token++) there.try_put(rounds);
    run_together(bodies);
    CHECK(there.nobody_waits());
    CHECK(back.nobody_waits());
  }
}

TEST_CASE("closing wakes everybody who waits") {
  const u32 rounds = scaled(500);
  const Watchdog watchdog("close", std::chrono::seconds(120));
  for (u32 round = 0; round < rounds; round++) {
    TestQueue empty(1, ElementType::uint32, 4);
    TestQueue full(1, ElementType::uint32, 4);
    full.try_put(1);
    std::atomic<u32> closed{0};
    const auto get = [&] {
      u32 value;
      closed += empty.get(PatientParker(empty.header().not_empty), value) == Status::closed;
    };
    const auto put = [&] { closed += full.put(PatientParker(full.header().not_full), 2) == Status::closed; };
    run_together({get, get, put, put, [&] {
                    wait_until([&] { return announced(empty.header().not_empty) == 2 && announced(full.header().not_full) == 2; });
                    empty.core().close();
                    full.core().close();
                  }});
    REQUIRE(closed == 4);
    REQUIRE(empty.nobody_waits());
    REQUIRE(full.nobody_waits());
  }
}

TEST_SUITE_END();
