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

// Each thread sets one event and waits for the other. The wake for one setting may come late, when
// the other thread already waits for the next.
TEST_CASE("no wake is lost: two threads alternate") {
  const u32 rounds = scaled(20'000) & ~u32{1};
  TestEvent ping;
  TestEvent pong;
  const Watchdog watchdog("ping and pong", std::chrono::seconds(120));
  std::atomic<u32> next{0};
  const auto play = [&](TestEvent& mine, TestEvent& other, u32 parity) {
    for (u32 round = parity; round < rounds; round += 2) {
      while (next.load() != round) {
        PatientParker waiting(mine.waiters());
        mine.core().wait(waiting);
        if (next.load() == round) break;
        mine.core().clear();
        if (next.load() == round) break;
      }
      mine.core().clear();
      next = round + 1;
      other.core().set();
    }
  };
  run_together({[&] { play(ping, pong, 0); }, [&] { play(pong, ping, 1); }});
  CHECK(next == rounds);
}

// A parker whose first sleep waits for `resume`, after the try that found nothing. So anything may
// happen between that try and the bucket.
class SlowParker : public PatientParker {
 public:
  SlowParker(const WaitList& list, std::atomic<bool>& about_to_sleep, std::atomic<bool>& resume)
      : PatientParker(list), about_to_sleep_(about_to_sleep), resume_(resume) {}

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    about_to_sleep_ = true;
    wait_until([&] { return resume_.load(); });
    return PatientParker::sleep(may_sleep);
  }

 private:
  std::atomic<bool>& about_to_sleep_;
  std::atomic<bool>& resume_;
};

TEST_CASE("a waiter that is about to sleep sees a setting whose permit another has taken") {
  const Watchdog watchdog("a waiter that came too late for the unpark");
  TestEvent event;
  std::atomic<bool> about_to_sleep{false};
  std::atomic<bool> resume{false};
  run_together({[&] {
                  SlowParker slow(event.waiters(), about_to_sleep, resume);
                  CHECK(event.core().wait(slow) == Status::ok);
                },
                [&] {
                  wait_until([&] { return about_to_sleep.load(); });
                  event.core().set();
                  event.core().clear();
                  // Does what a waiter does that wakes by itself, and was not there when the event
                  // was set.
                  announce_thread(event.waiters());
                  renew_thread(event.waiters());
                  REQUIRE(permits(event.waiters()) == 0);
                  resume = true;
                  wait_until([&] { return announced(event.waiters()) == 1; });
                  withdraw_thread(event.waiters());
                }});
  CHECK(event.waiters().state.load() == 0);
}

TEST_CASE("a putter that is about to sleep sees room whose permit another has taken") {
  constexpr Putter kLoop{9, true};
  constexpr u32 kSlot = 8;
  const Watchdog watchdog("a putter that came too late for the unpark");
  TestQueue queue(4);
  WaitList& putters = queue.header().not_full;
  for (u32 k = 0; k < 4; k++) queue.try_put_message(kSlot, k);
  // A busy event loop has the priority token, for two slots. A small message may be put beside it,
  // but one of three slots may not.
  REQUIRE(queue.core().attempt_waiting_put(kLoop, true, 2 * kSlot, [](const Span&) {}) == Status::full);
  std::atomic<bool> about_to_sleep{false};
  std::atomic<bool> resume{false};
  std::atomic<bool> small_is_in{false};
  run_together({[&] {
                  SlowParker slow(putters, about_to_sleep, resume);
                  CHECK(queue.put_message(slow, 1, kSlot, 100) == Status::ok);
                  small_is_in = true;
                },
                [&] {
                  wait_until([&] { return about_to_sleep.load(); });
                  CHECK(queue.put_message(PatientParker(putters), 2, 3 * kSlot, 101) == Status::ok);
                },
                [&] {
                  wait_until([&] { return announced(putters) == 2; });
                  std::vector<unsigned char> message;
                  for (u32 k = 0; k < 3; k++) CHECK(queue.try_get_message(message) == Status::ok);
                  // The large putter takes both permits, and sleeps.
                  wait_until([&] { return permits(putters) == 0; });
                  resume = true;
                  wait_until([&] { return small_is_in.load(); });
                  for (u32 k = 0; k < 3; k++) CHECK(queue.get_message(PatientParker(queue.header().not_empty), message) == Status::ok);
                }});
  queue.core().give_up_token(kLoop);
  CHECK(queue.nobody_waits());
}

TEST_SUITE_END();
