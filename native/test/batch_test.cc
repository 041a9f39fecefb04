// Batches: as many items as there is room for, in one claim, and in runs as WebAssembly puts them.
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("batch");

namespace {

struct Many {
  static Status put(TestQueue& queue, const u32* numbers, u32 count, u32& done) {
    return queue.core().try_put_many(count, sizeof(u32), done, [&](u32 index, u32 k, u32 n) {
      for (u32 i = 0; i < n; i++) std::memcpy(queue.slots().payload(index + i), &numbers[k + i], sizeof(u32));
    });
  }
  static Status get(TestQueue& queue, u32* numbers, u32 most, u32& done) {
    return queue.core().try_get_many(most, done, [&](u32 index, u32 k, u32 n) {
      for (u32 i = 0; i < n; i++) std::memcpy(&numbers[k + i], queue.slots().payload(index + i), sizeof(u32));
    });
  }
};

struct InRuns {
  static Status put(TestQueue& queue, const u32* numbers, u32 count, u32& done) {
    return queue.core().try_put_in_runs(count, sizeof(u32), done,
                                        [&](u32 index, u32 k) { std::memcpy(queue.slots().payload(index), &numbers[k], sizeof(u32)); });
  }
  static Status get(TestQueue& queue, u32* numbers, u32 most, u32& done) {
    return queue.core().try_get_in_runs(most, done,
                                        [&](u32 index, u32 k) { std::memcpy(&numbers[k], queue.slots().payload(index), sizeof(u32)); });
  }
};

// Puts and gets runs as a queue of messages does.
struct InRunsOfMessages {
  static Status put(TestQueue& queue, const u32* numbers, u32 count, u32& done) {
    return queue.core().try_put_messages(
        count, done, [](u32) { return u32{sizeof(u32)}; }, [&](const Span& span, u32 k) { queue.slots().copy_in(span, &numbers[k]); });
  }
  static Status get(TestQueue& queue, u32* numbers, u32 most, u32& done) {
    return queue.core().try_get_messages(
        most, done, [] { return ~u32{0}; }, [](const auto&) { return true; },
        [&](const Span& span, u32 k) { queue.slots().copy_out(span, &numbers[k]); });
  }
};

constexpr u32 kMost = 100;

// Puts numbers in order, in batches of changing length, until the ring has wrapped several times.
// It must never hold more than its capacity.
template <class Put, class Get>
void check_in_order(u32 capacity) {
  CAPTURE(capacity);
  TestQueue queue(capacity, ElementType::uint32, 4);
  Positions positions{capacity, queue.header().geometry.index_bits};
  queue.start_at((kClosed - positions.lap_unit()) | capacity / 2, ~u32{0} - capacity);
  Random random(capacity);
  u32 numbers[kMost];
  u32 put = 0;
  for (u32 got = 0; got < 5 * capacity + kMost;) {
    const u32 offered = random.below(kMost) + 1;
    for (u32 k = 0; k < offered; k++) numbers[k] = put + k;
    u32 done;
    const u32 room = capacity - (put - got);
    REQUIRE(Put::put(queue, numbers, offered, done) == (room > 0 ? Status::ok : Status::full));
    REQUIRE(done == std::min(offered, room));
    put += done;
    REQUIRE(queue.core().size() == put - got);

    const u32 wanted = random.below(kMost) + 1;
    const u32 there = put - got;
    REQUIRE(Get::get(queue, numbers, wanted, done) == (there > 0 ? Status::ok : Status::empty));
    REQUIRE(done == std::min(wanted, there));
    for (u32 k = 0; k < done; k++) REQUIRE(numbers[k] == got + k);
    got += done;
  }
}

// Batches and single items of two producers and two consumers meet in one ring. Each item must come
// out once, in order for each producer.
template <class Put, class Get>
void check_among_threads(u32 capacity) {
  CAPTURE(capacity);
  const Watchdog watchdog("batches among threads");
  const u32 items = scaled(200'000);
  TestQueue queue(capacity, ElementType::uint32, 4);
  std::atomic<u32> left{2 * items};
  std::vector<u32> got[2];
  const auto produce = [&](u32 who) {
    Random random(who + 1);
    u32 numbers[kMost];
    for (u32 next = 0; next < items;) {
      const u32 count = std::min(random.below(kMost) + 1, items - next);
      for (u32 k = 0; k < count; k++) numbers[k] = who << 31 | (next + k);
      u32 done = 0;
      if (count == 1) {
        done = queue.try_put(numbers[0]) == Status::ok;
      } else {
        Put::put(queue, numbers, count, done);
      }
      next += done;
      if (done == 0) std::this_thread::yield();
    }
  };
  const auto consume = [&](u32 who) {
    Random random(who + 3);
    u32 numbers[kMost];
    while (left.load() > 0) {
      u32 done = 0;
      const u32 most = random.below(kMost) + 1;
      if (most == 1) {
        done = queue.try_get(numbers[0]) == Status::ok;
      } else {
        Get::get(queue, numbers, most, done);
      }
      got[who].insert(got[who].end(), numbers, numbers + done);
      left -= done;
      if (done == 0) std::this_thread::yield();
    }
  };
  run_together({[&] { produce(0); }, [&] { produce(1); }, [&] { consume(0); }, [&] { consume(1); }});
  std::vector<u32> times(2 * items, 0);
  for (const std::vector<u32>& one : got) {
    u32 next[2] = {0, 0};
    for (const u32 number : one) {
      const u32 producer = number >> 31;
      const u32 place = number & ~(u32{1} << 31);
      REQUIRE(place < items);
      REQUIRE(place >= next[producer]);
      next[producer] = place + 1;
      times[producer * items + place]++;
    }
  }
  for (const u32 n : times) REQUIRE(n == 1);
  CHECK(queue.core().size() == 0);
}

}  // namespace

TEST_CASE("batches go in and out in order, around the end of the ring") {
  for (const u32 capacity : {1u, 2u, 7u, 31u, 32u, 33u, 64u, 100u, 1000u}) {
    check_in_order<Many, Many>(capacity);
    check_in_order<InRuns, InRuns>(capacity);
    check_in_order<Many, InRuns>(capacity);
    check_in_order<InRuns, Many>(capacity);
    check_in_order<InRunsOfMessages, InRunsOfMessages>(capacity);
    check_in_order<InRunsOfMessages, Many>(capacity);
    check_in_order<InRuns, InRunsOfMessages>(capacity);
  }
}

TEST_CASE("batches and single items of several threads meet") {
  for (const u32 capacity : {3u, 40u, 256u}) {
    check_among_threads<Many, Many>(capacity);
    check_among_threads<InRuns, InRuns>(capacity);
    check_among_threads<Many, InRuns>(capacity);
    check_among_threads<InRunsOfMessages, InRunsOfMessages>(capacity);
    check_among_threads<InRunsOfMessages, Many>(capacity);
  }
}

TEST_CASE("messages of several slots go together, around the end of the ring") {
  for (const u32 capacity : {1u, 8u, 30u, 77u, 200u}) {
    CAPTURE(capacity);
    TestQueue queue(capacity, ElementType::bytes, 8);
    Random random(capacity);
    const auto bytes_of = [capacity](u32 number) { return 1 + number * 7 % (std::min(capacity, 9u) * 8); };
    u32 put = 0;
    for (u32 got = 0; got < 10 * capacity + 100;) {
      u32 done;
      const Status status = queue.core().try_put_messages(
          random.below(40) + 1, done, [&](u32 k) { return bytes_of(put + k); },
          [&](const Span& span, u32 k) {
            const std::vector<unsigned char> message(span.bytes, static_cast<unsigned char>(put + k));
            queue.slots().copy_in(span, message.data());
          });
      REQUIRE(status == (done > 0 ? Status::ok : Status::full));
      put += done;
      REQUIRE(queue.core().size() == put - got);
      const u32 there = put - got;
      const u32 wanted = random.below(40) + 1;
      const u32 first = got;
      REQUIRE(queue.core().try_get_messages(
                  wanted, done, [] { return ~u32{0}; }, [](const auto&) { return true; },
                  [&](const Span& span, u32 k) {
                    std::vector<unsigned char> message(span.bytes);
                    queue.slots().copy_out(span, message.data());
                    REQUIRE(span.bytes == bytes_of(first + k));
                    for (const unsigned char byte : message) REQUIRE(byte == static_cast<unsigned char>(first + k));
                  }) == (there > 0 ? Status::ok : Status::empty));
      REQUIRE(done == std::min(there, wanted));
      got += done;
    }
  }
}

TEST_CASE("a closed queue takes no batch, and gives out what it has") {
  TestQueue queue(40, ElementType::uint32, 4);
  u32 numbers[40] = {};
  u32 done;
  CHECK(InRuns::put(queue, numbers, 40, done) == Status::ok);
  CHECK(InRuns::put(queue, numbers, 40, done) == Status::full);
  queue.core().close();
  CHECK(InRuns::put(queue, numbers, 40, done) == Status::closed);
  CHECK(done == 0);
  CHECK(InRuns::get(queue, numbers, 39, done) == Status::ok);
  CHECK(done == 39);
  CHECK(InRuns::get(queue, numbers, 39, done) == Status::ok);
  CHECK(done == 1);
  CHECK(InRuns::get(queue, numbers, 39, done) == Status::closed);
}

TEST_SUITE_END();
