// One thread: closing, and what a full queue does.
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("queue");

namespace {

u32 count(const Atomic<u32>& word) { return word.load(memory_order_relaxed); }

}  // namespace

TEST_CASE("a closed queue takes no item, and gives those it has") {
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

TEST_CASE("a full queue that is closed says so") {
  TestQueue queue(1, ElementType::uint32, 4);
  queue.try_put(1);
  queue.core().close();
  CHECK(queue.try_put(2) == Status::closed);
}

TEST_CASE("an item on its way when the queue is closed is in, and the queue not drained before it") {
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

TEST_CASE("discarding drops what is left, and counts it") {
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

TEST_CASE("reject: a full queue says so") {
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

TEST_CASE("drop oldest: where the oldest is just being read, the new item goes") {
  TestQueue queue(1, ElementType::uint32, 4, Overflow::drop_oldest);
  queue.try_put(1);
  queue.core().try_get(4, [&](const Span&) { CHECK(queue.offer(2) == Status::dropped); });
  CHECK(count(queue.header().dropped) == 1);
}

TEST_SUITE_END();
