// The ring in one thread: what it holds, in what order, and around its end.
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("ring");

namespace {

constexpr ElementType kForms[] = {ElementType::uint32, ElementType::bytes};

void check_holds_exactly(TestQueue& queue, u32 capacity) {
  for (u32 k = 0; k < capacity; k++) {
    REQUIRE(queue.core().size() == k);
    REQUIRE_FALSE(queue.core().full());
    REQUIRE(queue.try_put(k) == Status::ok);
  }
  CHECK(queue.core().size() == capacity);
  CHECK(queue.core().full());
  CHECK(queue.try_put(0) == Status::full);
  u32 value;
  for (u32 k = 0; k < capacity; k++) {
    REQUIRE(queue.try_get(value) == Status::ok);
    REQUIRE(value == k);
  }
  CHECK(queue.try_get(value) == Status::empty);
  CHECK(queue.core().size() == 0);
}

// Puts and gets messages of changing length until the ring has wrapped three times, as full as it
// can be.
void check_messages(TestQueue& queue, u32 capacity, u32 item_bytes, u32 longest) {
  Random random(capacity * 1000 + longest);
  std::vector<u32> lengths;  // of message number k
  u32 got = 0;
  u32 slots_used = 0;
  std::vector<unsigned char> message;
  const auto get_one = [&] {
    REQUIRE(queue.try_get_message(message) == Status::ok);
    REQUIRE(message == TestQueue::message_of(lengths[got], got));
    slots_used -= queue.core().slots_of(lengths[got]);
    got++;
  };
  for (u32 slots_put = 0; slots_put < 3 * capacity + 10;) {
    const u32 bytes = random.below(longest * item_bytes) + 1;
    const u32 slots = queue.core().slots_of(bytes);
    const auto number = static_cast<u32>(lengths.size());
    if (slots_used + slots > capacity) {
      REQUIRE(queue.try_put_message(bytes, number) == Status::full);
      get_one();
      continue;
    }
    REQUIRE(queue.try_put_message(bytes, number) == Status::ok);
    REQUIRE(queue.core().size() == number + 1 - got);
    lengths.push_back(bytes);
    slots_put += slots;
    slots_used += slots;
  }
  while (got < lengths.size()) get_one();
  CHECK(queue.try_get_message(message) == Status::empty);
}

}  // namespace

TEST_CASE("a queue of capacity N holds exactly N, in order") {
  for (const u32 capacity : {1u, 2u, 3u, 7u, 1000u}) {
    for (const ElementType type : kForms) {
      CAPTURE(capacity);
      TestQueue queue(capacity, type, 4);
      check_holds_exactly(queue, capacity);
      check_holds_exactly(queue, capacity);  // in the next lap
    }
  }
}

TEST_CASE("positions and the count of items wrap") {
  for (const u32 capacity : {1u, 2u, 3u, 5u, 8u, 1000u}) {
    Positions positions{capacity, 0};
    while (u32{1} << positions.index_bits < capacity) positions.index_bits++;
    const u32 last_lap = kClosed - positions.lap_unit();
    for (const u32 index : {0u, capacity / 2, capacity - 1}) {
      for (const u32 items : {0u, ~u32{0}, ~u32{0} - capacity / 2}) {
        CAPTURE(capacity);
        CAPTURE(index);
        CAPTURE(items);
        TestQueue single(capacity, ElementType::uint32, 4);
        single.start_at(last_lap | index, items);
        check_holds_exactly(single, capacity);
        check_holds_exactly(single, capacity);

        TestQueue spanning(capacity, ElementType::bytes, 8);
        spanning.start_at(last_lap | index, items);
        check_messages(spanning, capacity, 8, capacity < 4 ? capacity : 4);
      }
    }
  }
}

TEST_CASE("messages span slots, even around the end of the ring") {
  for (const u32 capacity : {1u, 2u, 3u, 5u, 8u}) {
    for (const u32 item_bytes : {1u, 8u, 13u}) {
      CAPTURE(capacity);
      TestQueue queue(capacity, ElementType::bytes, item_bytes);
      std::vector<unsigned char> message;
      for (u32 begin = 0; begin < capacity; begin++) {
        for (u32 bytes = 0; bytes <= capacity * item_bytes; bytes++) {
          REQUIRE(queue.try_put_message(bytes, bytes) == Status::ok);
          REQUIRE(queue.core().next_bytes() == bytes);
          REQUIRE(queue.try_get_message(message) == Status::ok);
          REQUIRE(message == TestQueue::message_of(bytes, bytes));
        }
        queue.try_put_message(1, 0);
        queue.try_get_message(message);
      }
      check_messages(queue, capacity, item_bytes, capacity);
      CHECK(queue.core().slots_of(capacity * item_bytes) == capacity);
      CHECK(queue.core().slots_of(capacity * item_bytes + 1) == capacity + 1);
    }
  }
}

TEST_CASE("an item that is longer than the limit stays") {
  TestQueue queue(4);
  queue.try_put_message(20, 1);
  CHECK(queue.core().try_get(19, [](const Span&) { FAIL("it was read"); }) == Status::too_small);
  CHECK(queue.core().size() == 1);
  std::vector<unsigned char> message;
  CHECK(queue.try_get_message(message) == Status::ok);
  CHECK(message == TestQueue::message_of(20, 1));
}

TEST_CASE("an item published behind a claimed slot can't be got before it") {
  TestQueue queue(3, ElementType::uint32, 4);
  u32 value;
  const Status outer = queue.core().try_put(4, [&](const Span& span) {
    // This put is made as in a signal handler that strikes between claim and publish.
    CHECK(queue.try_put(2) == Status::ok);
    CHECK(queue.try_get(value) == Status::empty);
    CHECK(queue.core().size() == 2);
    value = 1;
    queue.slots().copy_in(span, &value);
  });
  CHECK(outer == Status::ok);
  for (const u32 expected : {1u, 2u}) {
    CHECK(queue.try_get(value) == Status::ok);
    CHECK(value == expected);
  }
}

TEST_CASE("a slot that is being read is not free") {
  TestQueue queue(1, ElementType::uint32, 4);
  queue.try_put(1);
  queue.core().try_get(4, [&](const Span&) {
    CHECK(queue.try_put(2) == Status::full);
    CHECK(queue.core().size() == 0);
  });
  CHECK(queue.try_put(2) == Status::ok);
}

TEST_SUITE_END();
