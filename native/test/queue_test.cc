// A queue in one thread: closing, and overflow.
#include "../platform/patience.h"
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("queue");

namespace {

u32 count(const Atomic<u32>& word) { return word.load(memory_order_relaxed); }

// Returns the numbers of the messages that are left. `lengths` has the length of each message.
std::vector<u32> numbers_left(TestQueue& queue, const std::vector<u32>& lengths) {
  std::vector<u32> numbers;
  std::vector<unsigned char> message;
  while (queue.try_get_message(message) == Status::ok) {
    u32 number = 0;
    while (number < lengths.size() && message != TestQueue::message_of(lengths[number], number)) number++;
    numbers.push_back(number);
  }
  return numbers;
}

// A patience that ends at once, so nobody is waited for.
bool no_patience() { return false; }

}  // namespace

TEST_CASE("a closed queue takes no item, and gives out those it has") {
  TestQueue queue(3, ElementType::uint32, 4);
  queue.try_put(1);
  queue.try_put(2);
  queue.core().close();
  CHECK(queue.core().closed());
  CHECK(queue.try_put(3) == Status::closed);
  CHECK(queue.offer(3) == Status::closed);
  CHECK(queue.put(parker(queue.header().not_full), 3) == Status::closed);
  u32 value;
  for (const u32 expected : {1u, 2u}) {
    CHECK(queue.get(parker(queue.header().not_empty), value) == Status::ok);
    CHECK(value == expected);
  }
  CHECK(queue.try_get(value) == Status::closed);
  CHECK(queue.get(parker(queue.header().not_empty), value) == Status::closed);
  queue.core().close();
  CHECK(queue.core().closed());
}

TEST_CASE("a full queue that is closed returns closed, not full") {
  TestQueue queue(1, ElementType::uint32, 4);
  queue.try_put(1);
  queue.core().close();
  CHECK(queue.try_put(2) == Status::closed);
}

TEST_CASE("an item on its way when the queue is closed can be got, and the queue is not drained before") {
  TestQueue queue(2, ElementType::uint32, 4);
  u32 value = 7;
  const Status status = queue.core().try_put(4, [&](const Span& span) {
    queue.core().close();
    u32 nothing;
    CHECK(queue.try_get(nothing) == Status::empty);
    queue.slots().copy_in(span, &value);
  });
  CHECK(status == Status::ok);
  value = 0;
  CHECK(queue.try_get(value) == Status::ok);
  CHECK(value == 7);
  CHECK(queue.try_get(value) == Status::closed);
}

TEST_CASE("discarding drops and counts the items that are left") {
  TestQueue queue(5);
  queue.try_put_message(10, 1);
  queue.try_put_message(20, 2);
  queue.core().close();
  queue.core().discard([] {
    FAIL("nobody is on the way");
    return false;
  });
  std::vector<unsigned char> message;
  CHECK(queue.try_get_message(message) == Status::closed);
  CHECK(count(queue.header().discarded) == 2);
}

TEST_CASE("items are unfinished until they are reported done, cleared, evicted or discarded") {
  TestQueue queue(3, ElementType::uint32, 4, Overflow::drop_oldest);
  auto core = queue.core();
  u32 value;
  CHECK(core.all_done(core.join_start()));
  CHECK_FALSE(core.task_done(1));
  for (u32 k = 0; k < 5; k++) CHECK(queue.offer(k) == Status::ok);
  const JoinStart start = core.join_start();
  CHECK(core.stats().unfinished == 3);
  CHECK_FALSE(core.all_done(start));
  // The two evicted items were not got, so they can't be reported.
  CHECK_FALSE(core.task_done(1));
  queue.try_get(value);
  CHECK_FALSE(core.task_done(2));
  CHECK(core.task_done(1));
  CHECK(core.stats().unfinished == 2);
  queue.try_get(value);
  CHECK(core.clear(no_patience) == 1);
  CHECK(core.stats().unfinished == 1);
  CHECK_FALSE(core.all_done(start));
  CHECK(core.task_done(1));
  CHECK(core.all_done(start));
  queue.offer(6);
  core.close();
  CHECK_FALSE(core.all_done(core.join_start()));
  core.discard(no_patience);
  CHECK(core.all_done(core.join_start()));
}

TEST_CASE("an offer of a handler finishes the items that it evicts") {
  TestQueue queue(1, ElementType::uint32, 4, Overflow::drop_oldest);
  u32 value;
  queue.offer(1);
  queue.try_get(value);
  CHECK(queue.core().stats().unfinished == 1);
  queue.offer(2);
  queue.offer(3);
  CHECK(queue.core().task_done(1));
  CHECK_FALSE(queue.core().task_done(1));
  CHECK(queue.core().stats().unfinished == 1);
}

TEST_CASE("discarding waits for the item that is on its way") {
  TestQueue queue(2, ElementType::uint32, 4);
  std::atomic<bool> claimed{false};
  std::atomic<bool> waited{false};
  const Watchdog watchdog("discard of an item on its way");
  run_together({[&] {
                  queue.core().try_put(4, [&](const Span&) {
                    claimed = true;
                    wait_until([&] { return waited.load(); });
                  });
                },
                [&] {
                  wait_until([&] { return claimed.load(); });
                  queue.core().close();
                  queue.core().discard([&] { return waited = true; });
                }});
  CHECK(count(queue.header().discarded) == 1);
}

TEST_CASE("discarding gives up if a producer has died in the middle of its put") {
  TestQueue queue(3);
  std::vector<unsigned char> message;
  queue.try_put_message(8, 1);
  queue.put_and(8, 2, [&] {
    queue.try_put_message(8, 3);
    queue.core().close();
    u32 asked = 0;
    queue.core().discard([&] { return ++asked < 5; });
    CHECK(asked == 5);
  });
  CHECK(count(queue.header().discarded) == 1);
}

TEST_CASE("clearing drops items put before it, even if a put is in progress") {
  TestQueue queue(3);
  u32 cleared = 0;
  u32 asked = 0;
  queue.put_and(8, 1, [&] {
    queue.try_put_message(8, 2);
    cleared = queue.core().clear([&] { return ++asked < 3; });
  });
  CHECK(asked == 3);
  CHECK(cleared == 0);
  CHECK(queue.core().clear(no_patience) == 2);
}

TEST_CASE("during a put a get returns busy, not empty; in a handler it returns empty") {
  for (const u32 bytes : {8u, 20u}) {
    TestQueue queue(6);
    std::vector<unsigned char> message;
    queue.put_and(bytes, 1, [&] {
      CHECK(queue.attempt_get_message(message) == Status::busy);
      CHECK(queue.try_put_message(bytes, 2) == Status::ok);
      CHECK(queue.attempt_get_message(message) == Status::busy);
      CHECK(queue.try_get_message(message) == Status::empty);
      CHECK(queue.core().try_peek(~u32{0}, [](const Span&) {}) == Status::busy);
    });
    CHECK(queue.attempt_get_message(message) == Status::ok);
    CHECK(queue.attempt_get_message(message) == Status::ok);
    CHECK(queue.attempt_get_message(message) == Status::empty);
  }
}

TEST_CASE("during a get that makes the room a put returns busy, not full; in a handler it returns full") {
  for (const u32 bytes : {8u, 20u}) {
    TestQueue queue(6);
    std::vector<unsigned char> message;
    const u32 items = 6 / queue.core().slots_of(bytes);
    for (u32 k = 0; k < items; k++) CHECK(queue.attempt_put_message(bytes, k) == Status::ok);
    CHECK(queue.attempt_put_message(bytes, 9) == Status::full);
    queue.get_and(message, [&] {
      CHECK(queue.attempt_put_message(bytes, 9) == Status::busy);
      CHECK(queue.attempt_put_message(bytes + 8, 9) == Status::full);
      CHECK(queue.try_put_message(bytes, 9) == Status::full);
    });
    CHECK(queue.attempt_put_message(bytes, 9) == Status::ok);
  }
}

TEST_CASE("a call settles when the copy has ended, or gives up when its patience ends") {
  TestQueue queue(2);
  std::vector<unsigned char> message;
  u32 asked = 0;
  queue.put_and(8, 1,
                [&] { CHECK(settle([&] { return ++asked < 4; }, [&] { return queue.attempt_get_message(message); }) == Status::busy); });
  CHECK(asked == 4);
  CHECK(settle(no_patience, [&] { return queue.attempt_get_message(message); }) == Status::ok);
}

TEST_CASE("if a thread has died in the middle of a copy, only the first call waits for it") {
  TestQueue queue(2);
  Stuck stuck;
  std::vector<unsigned char> message;
  u32 asked = 0;
  const auto patience = [&] { return ++asked % 3 != 0; };
  const auto get = [&] { return stuck.settle_get(queue.core(), patience, [&] { return queue.attempt_get_message(message); }); };
  const auto put = [&] { return stuck.settle_put(queue.core(), patience, [&] { return queue.attempt_put_message(8, 2); }); };
  CHECK(get() == Status::empty);
  queue.put_and(8, 0, [&] {
    queue.try_put_message(8, 1);
    for (u32 k = 0; k < 3; k++) CHECK(get() == Status::empty);
  });
  CHECK(asked == 3);
  queue.get_and(message, [&] {
    for (u32 k = 0; k < 3; k++) CHECK(put() == Status::full);
  });
  CHECK(asked == 6);
  CHECK(put() == Status::ok);
  CHECK(put() == Status::full);
  CHECK(asked == 6);
  CHECK(get() == Status::ok);
  // The queue has moved to another slot, so a call waits again.
  queue.get_and(message, [&] { CHECK(put() == Status::ok); });
  queue.put_and(8, 3, [&] {
    CHECK(get() == Status::ok);
    CHECK(get() == Status::empty);
  });
  CHECK(asked == 9);
}

TEST_CASE("if a thread has died in the middle of a copy, the overflow policy drops and counts") {
  for (const Overflow overflow : {Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest}) {
    TestQueue queue(2, ElementType::bytes, 8, overflow);
    Stuck stuck;
    std::vector<unsigned char> message;
    const auto offer = [&] {
      auto core = queue.core();
      return stuck.settle_offer(core, [] { return false; }, [&] { return queue.attempt_offer_message(8, 2); });
    };
    queue.try_put_message(8, 0);
    queue.try_put_message(8, 1);
    // The slot is claimed, and stays so during this call.
    queue.get_and(message, [&] { CHECK(offer() == (overflow == Overflow::reject ? Status::full : Status::dropped)); });
    CHECK(queue.core().stats().dropped == (overflow == Overflow::reject ? 0 : 1));
    CHECK(offer() == Status::ok);
  }
}

TEST_CASE("patience ends after some seconds, or when the thread must stop") {
  u32 questions = 0;
  StopCheck stops([&] { return ++questions == 2; });
  Patience patience(stops);
  const Watchdog watchdog("the end of patience");
  while (patience()) {
  }
  CHECK(questions == 2);
}

TEST_CASE("reject: a put into a full queue returns full") {
  TestQueue queue(2, ElementType::uint32, 4, Overflow::reject);
  for (const Status expected : {Status::ok, Status::ok, Status::full}) CHECK(queue.offer(1) == expected);
  CHECK(count(queue.header().dropped) == 0);
}

TEST_CASE("drop newest: a full queue drops the new item") {
  TestQueue queue(2, ElementType::uint32, 4, Overflow::drop_newest);
  for (u32 k = 0; k < 5; k++) CHECK(queue.offer(k) == (k < 2 ? Status::ok : Status::dropped));
  CHECK(count(queue.header().dropped) == 3);
  u32 value;
  for (const u32 expected : {0u, 1u}) {
    CHECK(queue.try_get(value) == Status::ok);
    CHECK(value == expected);
  }
}

TEST_CASE("drop oldest: a full queue drops the oldest items") {
  TestQueue queue(3, ElementType::uint32, 4, Overflow::drop_oldest);
  for (u32 k = 0; k < 10; k++) CHECK(queue.offer(k) == Status::ok);
  CHECK(count(queue.header().dropped) == 7);
  u32 value;
  for (const u32 expected : {7u, 8u, 9u}) {
    CHECK(queue.try_get(value) == Status::ok);
    CHECK(value == expected);
  }
}

TEST_CASE("drop oldest: a long message takes the place of several short ones") {
  TestQueue queue(4, ElementType::bytes, 8, Overflow::drop_oldest);
  for (u32 k = 0; k < 4; k++) queue.try_put_message(8, k);
  const auto message = TestQueue::message_of(24, 9);
  CHECK(queue.core().offer(24, [&](const Span& span) { queue.slots().copy_in(span, message.data()); }) == Status::ok);
  CHECK(count(queue.header().dropped) == 3);
  std::vector<unsigned char> got;
  CHECK(queue.try_get_message(got) == Status::ok);
  CHECK(got == TestQueue::message_of(8, 3));
  CHECK(queue.try_get_message(got) == Status::ok);
  CHECK(got == message);
}

TEST_CASE("drop oldest: if the oldest is just being read, the new item is dropped") {
  TestQueue queue(1, ElementType::uint32, 4, Overflow::drop_oldest);
  queue.try_put(1);
  queue.core().try_get(4, [&](const Span&) { CHECK(queue.offer(2) == Status::dropped); });
  CHECK(count(queue.header().dropped) == 1);
}

TEST_CASE("drop oldest: during a get a handler drops its own item, and none of the others") {
  for (const u32 bytes : {8u, 20u}) {
    TestQueue queue(12, ElementType::bytes, 8, Overflow::drop_oldest);
    const u32 items = 12 / queue.core().slots_of(bytes);
    std::vector<u32> kept;
    for (u32 k = 0; k < items; k++) {
      queue.try_put_message(bytes, k);
      if (k > 0) kept.push_back(k);
    }
    std::vector<unsigned char> message;
    queue.get_and(message, [&] {
      for (u32 k = 0; k < 3; k++) CHECK(queue.offer_message(bytes, 9) == Status::dropped);
      CHECK(queue.attempt_offer_message(bytes, 9) == Status::busy);
      // This message needs the room of other items too.
      CHECK(queue.offer_message(2 * bytes, 9) == Status::dropped);
    });
    CHECK(count(queue.header().dropped) == 4);
    CHECK(count(queue.header().evicted) == 0);
    CHECK(numbers_left(queue, std::vector<u32>(items, bytes)) == kept);
  }
}

TEST_CASE("drop oldest: during the put of the oldest item a handler drops its own item") {
  for (const u32 bytes : {8u, 20u}) {
    TestQueue queue(3, ElementType::bytes, 8, Overflow::drop_oldest);
    queue.put_and(bytes, 0, [&] {
      while (queue.try_put_message(8, 1) == Status::ok) {
      }
      CHECK(queue.offer_message(8, 2) == Status::dropped);
      CHECK(queue.attempt_offer_message(8, 2) == Status::busy);
    });
    CHECK(count(queue.header().evicted) == 0);
    CHECK(queue.offer_message(8, 2) == Status::ok);
    CHECK(count(queue.header().evicted) == 1);
  }
}

TEST_CASE("drop oldest: during a put behind the oldest item, the oldest is dropped, and the put is unaffected") {
  TestQueue queue(3, ElementType::bytes, 8, Overflow::drop_oldest);
  queue.try_put_message(8, 0);
  queue.put_and(8, 1, [&] {
    queue.try_put_message(8, 2);
    CHECK(queue.offer_message(8, 3) == Status::ok);
    CHECK(queue.offer_message(8, 4) == Status::dropped);
  });
  CHECK(count(queue.header().evicted) == 1);
  CHECK(numbers_left(queue, {8, 8, 8, 8}) == std::vector<u32>{1, 2, 3});
}

TEST_CASE("drop oldest: during an eviction nobody else can put, and the queue is not empty") {
  TestQueue queue(1, ElementType::uint32, 4, Overflow::drop_oldest);
  queue.try_put(1);
  const u32 value = 2;
  bool struck = false;
  const Status status = queue.core().offer(4, [&](const Span& span) {
    struck = true;
    u32 got;
    CHECK(queue.core().attempt_get(4, [](const Span&) {}) == Status::busy);
    CHECK(queue.try_get(got) == Status::empty);
    CHECK(queue.offer(3) == Status::dropped);
    queue.slots().copy_in(span, &value);
  });
  CHECK(status == Status::ok);
  CHECK(struck);
  u32 got = 0;
  CHECK(queue.try_get(got) == Status::ok);
  CHECK(got == 2);
}

TEST_CASE("drop oldest: a short message in place of a long one leaves the rest of its room to others") {
  TestQueue queue(4, ElementType::bytes, 8, Overflow::drop_oldest);
  queue.try_put_message(24, 0);
  queue.try_put_message(8, 1);
  CHECK(queue.offer_message(8, 2) == Status::ok);
  CHECK(count(queue.header().evicted) == 1);
  CHECK(queue.try_put_message(16, 3) == Status::ok);
  CHECK(queue.try_put_message(8, 4) == Status::full);
  CHECK(numbers_left(queue, {24, 8, 8, 16}) == std::vector<u32>{1, 2, 3});
}

TEST_CASE("drop oldest: messages of changing length, around the end of the ring, evict as few as make room") {
  for (const u32 capacity : {1u, 2u, 3u, 5u, 8u}) {
    TestQueue queue(capacity, ElementType::bytes, 8, Overflow::drop_oldest);
    Random random(capacity);
    std::vector<u32> lengths;
    std::vector<u32> inside;
    u32 used = 0;
    u32 pushed_out = 0;
    for (u32 number = 0; number < 250; number++) {  // from 256 on, numbers repeat in a byte
      const u32 bytes = random.below(capacity * 8) + 1;
      lengths.push_back(bytes);
      used += queue.core().slots_of(bytes);
      inside.push_back(number);
      for (; used > capacity; pushed_out++) {
        used -= queue.core().slots_of(lengths[inside.front()]);
        inside.erase(inside.begin());
      }
      REQUIRE(queue.offer_message(bytes, number) == Status::ok);
      REQUIRE(count(queue.header().evicted) == pushed_out);
    }
    CHECK(numbers_left(queue, lengths) == inside);
  }
}

TEST_SUITE_END();
