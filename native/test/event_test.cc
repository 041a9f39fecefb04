#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("event");

TEST_CASE("an event is set until it is cleared") {
  TestEvent event;
  CHECK_FALSE(event.core().is_set());
  event.core().set();
  event.core().set();
  CHECK(event.core().is_set());
  auto waiting = parker(event.waiters());
  CHECK(event.core().wait(waiting) == Status::ok);
  event.core().clear();
  CHECK_FALSE(event.core().is_set());
  auto in_vain = parker(event.waiters(), Deadline::after(5));
  CHECK(event.core().wait(in_vain) == Status::timeout);
  CHECK(event.waiters().state.load(memory_order_seq_cst) == 0);
}

TEST_CASE("set and cleared at once, an event wakes all who wait") {
  constexpr u32 kWaiters = 4;
  const u32 rounds = scaled(10'000);
  TestEvent event;
  const Watchdog watchdog("set and clear", std::chrono::seconds(120));
  std::atomic<u32> done{0};
  std::atomic<u32> over{0};  // rounds
  const auto wait_each_round = [&] {
    for (u32 round = 1; round <= rounds; round++) {
      PatientParker waiting(event.waiters());
      event.core().wait(waiting);
      done++;
      wait_until([&] { return over.load() == round; });
    }
  };
  std::vector<std::function<void()>> bodies(kWaiters, wait_each_round);
  bodies.push_back([&] {
    for (u32 round = 1; round <= rounds; round++) {
      wait_until([&] { return announced(event.waiters()) == kWaiters; });
      event.core().set();
      event.core().clear();
      wait_until([&] { return done.load() == round * kWaiters; });
      over = round;
    }
  });
  run_together(bodies);
  CHECK(done == rounds * kWaiters);
  CHECK(event.waiters().state.load(memory_order_seq_cst) == 0);
}

// Each thread sets one event and waits for the other. The wake of a setting may come late, when the other is back and waits for the next.
TEST_CASE("no wake is lost: two threads take turns") {
  const u32 rounds = scaled(20'000) & ~u32{1};
  TestEvent ping;
  TestEvent pong;
  const Watchdog watchdog("ping and pong", std::chrono::seconds(120));
  std::atomic<u32> turn{0};
  const auto play = [&](TestEvent& mine, TestEvent& other, u32 parity) {
    for (u32 round = parity; round < rounds; round += 2) {
      while (turn.load() != round) {
        PatientParker waiting(mine.waiters());
        mine.core().wait(waiting);
        if (turn.load() == round) break;
        mine.core().clear();
        if (turn.load() == round) break;
      }
      mine.core().clear();
      turn = round + 1;
      other.core().set();
    }
  };
  run_together({[&] { play(ping, pong, 0); }, [&] { play(pong, ping, 1); }});
  CHECK(turn == rounds);
}

TEST_SUITE_END();
