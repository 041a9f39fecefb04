// The ring by itself. Its calls do not wait, so the threads repeat them.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// Checks that the numbers are 0, 1, 2 and so on, each of them once.
template <u32 count>
void check_each_once(const u32 (&numbers)[count]) {
  bool there[count] = {};
  for (const u32 number : numbers) {
    RL_ASSERT(number < count && !there[number]);
    there[number] = true;
  }
}

// Two producers of two messages each, and two consumers. A message's number is producer * 2 + 0 or
// 1. Those of the second producer take `slots` slots. Laps and counts may begin again meanwhile.
template <u32 capacity, u32 slots, bool late = false>
struct TwoByTwo : rl::test_suite<TwoByTwo<capacity, slots, late>, 4> {
  ModelQueue<capacity, (slots > 1)> queue;
  u32 got[2][2];

  void before() {
    if (late) queue.start_late();
  }

  void thread(unsigned index) {
    for (u32 k = 0; k < 2; k++) {
      if (index < 2) {
        while (queue.try_put(index * 2 + k, index == 1 ? slots : 1) != Status::ok) rl::yield(1, $);
      } else {
        while (queue.try_get(got[index - 2][k]) != Status::ok) rl::yield(1, $);
      }
    }
  }

  void after() {
    u32 times[4] = {};
    for (const auto& by_consumer : got) {
      for (const u32 number : by_consumer) times[number]++;
      // Two messages of one producer come in order.
      if (by_consumer[0] / 2 == by_consumer[1] / 2) RL_ASSERT(by_consumer[0] < by_consumer[1]);
    }
    for (const u32 n : times) RL_ASSERT(n == 1);
    RL_ASSERT(queue.core().size() == 0);
  }
};

// Two slots are filled, or emptied, together: by many() as a batch, or as a run. Their second stamp
// is relaxed; Relacy tells if whoever comes to it, by way of another who took the first, does not
// see what was done to its payload.
struct AsBatch {
  template <class Queue>
  static bool put_one(Queue& queue, u32 number) {
    u32 done;
    return queue.try_put_many(number, 1, done) == Status::ok && done == 1;
  }
  template <class Queue>
  static bool get_one(Queue& queue, u32 (&number)[1]) {
    u32 done;
    return queue.try_get_many(number, done) == Status::ok && done == 1;
  }
  template <class Queue>
  static bool put(Queue& queue, u32 first) {
    u32 done;
    return queue.try_put_many(first, 2, done) == Status::ok && done == 2;
  }
  template <class Queue>
  static bool get(Queue& queue, u32 (&numbers)[2]) {
    u32 done;
    return queue.try_get_many(numbers, done) == Status::ok && done == 2;
  }
};

struct AsRun {
  template <class Queue>
  static bool put_one(Queue& queue, u32 number) {
    return queue.template try_put_run<1>(number);
  }
  template <class Queue>
  static bool get_one(Queue& queue, u32 (&number)[1]) {
    return queue.try_get_run(number);
  }
  template <class Queue>
  static bool put(Queue& queue, u32 first) {
    return queue.template try_put_run<2>(first);
  }
  template <class Queue>
  static bool get(Queue& queue, u32 (&numbers)[2]) {
    return queue.try_get_run(numbers);
  }
};

struct AsMessages {
  template <class Queue>
  static bool get_one(Queue& queue, u32 (&number)[1]) {
    return queue.try_get_messages(number);
  }
  template <class Queue>
  static bool put(Queue& queue, u32 first) {
    return queue.try_put_messages(first, {1, 1});
  }
  template <class Queue>
  static bool get(Queue& queue, u32 (&numbers)[2]) {
    return queue.try_get_messages(numbers);
  }
};

template <class Way>
struct PutTogether : rl::test_suite<PutTogether<Way>, 3> {
  ModelQueue<3> queue;
  u32 got[2];

  void thread(unsigned index) {
    if (index == 2) {
      while (!Way::put(queue, 0)) rl::yield(1, $);
    } else {
      while (queue.try_get(got[index]) != Status::ok) rl::yield(1, $);
    }
  }

  void after() { RL_ASSERT(got[0] + got[1] == 1); }
};

template <class Way>
struct GetTogether : rl::test_suite<GetTogether<Way>, 3> {
  ModelQueue<2> queue;
  u32 got[2];

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    if (index == 2) {
      while (!Way::get(queue, got)) rl::yield(1, $);
    } else {
      while (queue.try_put(index) != Status::ok) rl::yield(1, $);
    }
  }

  void after() {
    RL_ASSERT(got[0] == 0 && got[1] == 1);
    RL_ASSERT(queue.core().size() == 2);
  }
};

// The same, but the other two threads go the same way, with one slot each. A claim of a batch
// passes on what its claimer has seen, as any claim does.
template <class Way>
struct PutAndGetTogether : rl::test_suite<PutAndGetTogether<Way>, 3> {
  ModelQueue<3> queue;
  u32 got[2][1];

  void thread(unsigned index) {
    if (index == 2) {
      while (!Way::put(queue, 0)) rl::yield(1, $);
    } else {
      while (!Way::get_one(queue, got[index])) rl::yield(1, $);
    }
  }

  void after() {
    check_each_once({got[0][0], got[1][0]});
    RL_ASSERT(queue.core().size() == 0);
  }
};

template <class Way>
struct GetAndPutTogether : rl::test_suite<GetAndPutTogether<Way>, 3> {
  ModelQueue<2> queue;
  u32 got[2];

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    if (index == 2) {
      while (!Way::get(queue, got)) rl::yield(1, $);
    } else {
      while (!Way::put_one(queue, index)) rl::yield(1, $);
    }
  }

  void after() {
    RL_ASSERT(got[0] == 0 && got[1] == 1);
    RL_ASSERT(queue.core().size() == 2);
  }
};

// A getter is slow, and the head comes round to the slot from which it still copies. Its stamp is
// still that of the lap before, whose item nobody else may get.
template <class Way>
struct SlowGetter : rl::test_suite<SlowGetter<Way>, 3> {
  ModelQueue<2, true> queue;
  u32 slow;
  u32 others[3][1];

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    if (index == 0) {
      while (queue.get_and(slow, delay) != Status::ok) rl::yield(1, $);
    } else if (index == 1) {
      for (auto& number : others) {
        while (!Way::get_one(queue, number)) rl::yield(1, $);
      }
    } else {
      for (u32 number = 2; number < 4; number++) {
        while (queue.try_put(number) != Status::ok) rl::yield(1, $);
      }
    }
  }

  void after() {
    check_each_once({slow, others[0][0], others[1][0], others[2][0]});
    RL_ASSERT(queue.core().size() == 0);
  }
};

// Both sides use runs, around the end of the ring.
struct RunsRound : rl::test_suite<RunsRound, 2> {
  ModelQueue<4> queue;

  void thread(unsigned index) {
    for (u32 k = 0; k < 3; k++) {
      if (index == 0) {
        while (!queue.try_put_run<2>(2 * k)) rl::yield(1, $);
      } else {
        u32 numbers[2];
        while (!queue.try_get_run<2>(numbers)) rl::yield(1, $);
        RL_ASSERT(numbers[0] == 2 * k && numbers[1] == 2 * k + 1);
      }
    }
  }
};

// Messages of one and two slots fill the ring, around its end.
struct MessagesRound : rl::test_suite<MessagesRound, 2> {
  ModelQueue<3, true> queue;

  void thread(unsigned index) {
    for (u32 k = 0; k < 3; k++) {
      if (index == 0) {
        while (!queue.try_put_messages(2 * k, {1 + k % 2, 2 - k % 2})) rl::yield(1, $);
      } else {
        u32 numbers[2];
        while (!queue.try_get_messages(numbers)) rl::yield(1, $);
        RL_ASSERT(numbers[0] == 2 * k && numbers[1] == 2 * k + 1);
      }
    }
  }
};

// Two slots are emptied together. Each putter fills one of them, and the second goes by way of the
// first.
struct MessagesAfter : rl::test_suite<MessagesAfter, 3> {
  ModelQueue<2, true> queue;

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    if (index == 2) {
      u32 numbers[2];
      while (!queue.try_get_messages(numbers)) rl::yield(1, $);
    } else {
      while (!queue.try_put_messages(2 + index, {1})) rl::yield(1, $);
    }
  }

  void after() { RL_ASSERT(queue.core().size() == 2); }
};

// Two threads take one item each and free their slots in any order. Then there is room for
// messages.
struct MessagesBeside : rl::test_suite<MessagesBeside, 3> {
  ModelQueue<2, true> queue;

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 2) {
      while (!queue.try_put_messages(2, {1, 1})) rl::yield(1, $);
    } else {
      while (queue.try_get(number) != Status::ok) rl::yield(1, $);
    }
  }

  void after() { RL_ASSERT(queue.core().size() == 2); }
};

// Messages are put, and got, behind those of a batch whose beginning another thread has claimed.
struct MessagesBehind : rl::test_suite<MessagesBehind, 4> {
  ModelQueue<4, true> queue;
  u32 first;
  u32 others[2];
  u32 last;

  void thread(unsigned index) {
    if (index == 0) {
      while (!queue.try_put_messages(0, {1, 1, 1})) rl::yield(1, $);
    } else if (index == 1) {
      while (queue.try_get(first) != Status::ok) rl::yield(1, $);
    } else if (index == 2) {
      while (!queue.try_get_messages(others)) rl::yield(1, $);
    } else {
      while (queue.try_put(3) != Status::ok) rl::yield(1, $);
      while (queue.try_get(last) != Status::ok) rl::yield(1, $);
    }
  }

  void after() {
    check_each_once({first, others[0], others[1], last});
    RL_ASSERT(queue.core().size() == 0);
  }
};

// Items that do not fit are not put, in any order: the ring never holds more than its capacity.
template <u32 capacity>
struct NeverMore : rl::test_suite<NeverMore<capacity>, capacity + 1> {
  ModelQueue<capacity> queue;
  Status status[capacity + 1];

  void thread(unsigned index) { status[index] = queue.try_put(index); }

  void after() {
    u32 put = 0;
    for (const Status s : status) put += s == Status::ok;
    RL_ASSERT(put == capacity);
    RL_ASSERT(queue.core().size() == capacity);
  }
};

// An accepted put comes before the close, so its item can be got afterwards. Then the ring is
// closed and drained.
struct PutOrClosed : rl::test_suite<PutOrClosed, 3> {
  ModelQueue<2> queue;
  u32 put[2];
  u32 got;

  void before() { got = put[0] = put[1] = 0; }

  void thread(unsigned index) {
    if (index == 0) {
      for (Status s = Status::ok; s == Status::ok; put[0] += s == Status::ok) s = queue.try_put(1);
    } else if (index == 1) {
      queue.core().close();
      put[1] = queue.try_put(2) == Status::ok;
    } else {
      u32 number;
      for (Status s = Status::ok; s != Status::closed; got += s == Status::ok) {
        s = queue.try_get(number);
        if (s == Status::empty) rl::yield(1, $);
      }
    }
  }

  void after() {
    RL_ASSERT(put[1] == 0);
    RL_ASSERT(got == put[0]);
  }
};

// The same with batches and runs.
struct BatchOrClosed : rl::test_suite<BatchOrClosed, 3> {
  ModelQueue<3> queue;
  u32 put = 0;
  u32 got = 0;

  void thread(unsigned index) {
    u32 done;
    if (index == 0) {
      while (rl::rand(2) == 0 ? put_run() : put_batch()) {
      }
    } else if (index == 1) {
      queue.core().close();
      RL_ASSERT(!queue.try_put_run<2>(1));
      RL_ASSERT(queue.try_put_many(1, 2, done) == Status::closed && done == 0);
    } else {
      for (Status s = Status::ok; s != Status::closed; got += done) {
        u32 numbers[2];
        s = queue.try_get_many(numbers, done);
        if (s == Status::empty || s == Status::busy) rl::yield(1, $);
      }
    }
  }

  void after() { RL_ASSERT(got == put); }

 private:
  bool put_run() {
    const bool ok = queue.try_put_run<2>(1);
    put += ok ? 2 : 0;
    return ok;
  }
  bool put_batch() {
    u32 done;
    const Status status = queue.try_put_many(1, 2, done);
    put += done;
    return status == Status::ok;
  }
};

// A peek returns an item as it was put, though its slot may be emptied and filled anew meanwhile.
// The payload is two words. If a peek sees them change, its copy must not count.
struct PeekWhileReused : rl::test_suite<PeekWhileReused, 2> {
  struct OneSlot {
    static constexpr u32 kMostSlots = 0;
    Atomic<u64>* only;
    Atomic<u64>& stamp(u32) const { return *only; }
  };

  Atomic<u64> tail;
  Atomic<u64> head;
  Atomic<u64> stamp;
  Atomic<u32> left;
  Atomic<u32> right;

  void thread(unsigned index) {
    const auto one = [](u32) { return 1u; };
    Ring<OneSlot> ring(tail, head, Positions{1, 0}, OneSlot{&stamp});
    if (index == 0) {
      for (u32 number = 1; number <= 2; number++) {
        const Status put = ring.try_put(1, 4, [&](Span) {
          left.store(number, memory_order_relaxed);
          right.store(number, memory_order_relaxed);
        });
        RL_ASSERT(put == Status::ok);
        if (number == 1) RL_ASSERT(ring.try_get(4, one, [](Span) {}) == Status::ok);
      }
    } else {
      u32 saw[2] = {};
      const Status status = ring.try_peek(4, one, [&](Span) {
        saw[0] = left.load(memory_order_relaxed);
        saw[1] = right.load(memory_order_relaxed);
      });
      if (status == Status::ok) RL_ASSERT(saw[0] != 0 && saw[0] == saw[1]);
    }
  }
};

// One producer and one consumer of `items` each.
template <u32 capacity, u32 items, u32 slots = 1>
struct OneByOne : rl::test_suite<OneByOne<capacity, items, slots>, 2> {
  ModelQueue<capacity, (slots > 1)> queue;

  void thread(unsigned index) {
    for (u32 k = 0; k < items; k++) {
      u32 number;
      if (index == 0) {
        while (queue.try_put(k, slots) != Status::ok) rl::yield(1, $);
      } else {
        while (queue.try_get(number) != Status::ok) rl::yield(1, $);
        RL_ASSERT(number == k);
      }
    }
  }

  void after() { RL_ASSERT(queue.core().size() == 0); }
};

// Two threads put, or get, one item each. Neither waits for the other.
template <u32 capacity>
struct TwoPut : rl::test_suite<TwoPut<capacity>, 2> {
  ModelQueue<capacity> queue;
  Status put[2];

  void thread(unsigned index) { put[index] = queue.put_exactly(index); }

  void after() {
    RL_ASSERT(put[0] == Status::ok || put[1] == Status::ok);
    RL_ASSERT((put[0] == Status::ok && put[1] == Status::ok) == (capacity > 1));
    RL_ASSERT(queue.core().size() == capacity);
  }
};

template <u32 items>
struct TwoGet : rl::test_suite<TwoGet<items>, 2> {
  ModelQueue<2> queue;
  Status got[2];
  u32 numbers[2];

  void before() {
    for (u32 k = 0; k < items; k++) queue.try_put(k);
  }

  void thread(unsigned index) { got[index] = queue.get_exactly(numbers[index]); }

  void after() {
    RL_ASSERT((got[0] == Status::ok) + (got[1] == Status::ok) == items);
    if (items == 2) RL_ASSERT(numbers[0] + numbers[1] == 1);
  }
};

// A put, a get, and a second put or get happen at once. Every item that comes out went in.
template <bool two_put>
struct Three : rl::test_suite<Three<two_put>, 3> {
  ModelQueue<1> queue;
  u32 left[3] = {};

  void before() { RL_ASSERT(queue.try_put(0) == Status::ok); }

  void thread(unsigned index) {
    u32 number;
    if (index == 0 || (two_put && index == 1)) {
      if (queue.try_put(index + 1) == Status::ok) left[index]++;
    } else if (queue.try_get(number) == Status::ok) {
      left[index]--;
    }
  }

  void after() { RL_ASSERT(1 + left[0] + left[1] + left[2] == queue.core().size()); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<TwoByTwo<1, 1>, "capacity_1">(100'000),
      scenario<TwoByTwo<2, 1>, "capacity_2">(100'000),
      scenario<TwoByTwo<2, 2>, "spanning_2">(100'000),
      scenario<TwoByTwo<3, 2>, "spanning_3">(100'000),
      scenario<TwoByTwo<2, 1, true>, "late_2">(30'000),
      scenario<TwoByTwo<3, 2, true>, "late_spanning_3">(30'000),
      scenario<NeverMore<1>, "never_more_than_1">(50'000),
      scenario<NeverMore<2>, "never_more_than_2">(50'000),
      scenario<PutOrClosed, "put_or_closed">(100'000),
      scenario<BatchOrClosed, "batch_or_closed">(30'000),
      scenario<PeekWhileReused, "peek">(100'000),
      scenario<PutTogether<AsBatch>, "put_batch">(100'000),
      scenario<GetTogether<AsBatch>, "get_batch">(100'000),
      scenario<PutTogether<AsRun>, "put_run">(100'000),
      scenario<GetTogether<AsRun>, "get_run">(100'000),
      scenario<PutAndGetTogether<AsBatch>, "put_and_get_batch">(20'000),
      scenario<GetAndPutTogether<AsBatch>, "get_and_put_batch">(20'000),
      scenario<PutAndGetTogether<AsRun>, "put_and_get_run">(20'000),
      scenario<GetAndPutTogether<AsRun>, "get_and_put_run">(20'000),
      scenario<SlowGetter<AsBatch>, "slow_getter_batch">(30'000),
      scenario<SlowGetter<AsRun>, "slow_getter_run">(30'000),
      scenario<SlowGetter<AsMessages>, "slow_getter_messages">(30'000),
      scenario<RunsRound, "runs_round">(100'000),
      scenario<PutTogether<AsMessages>, "put_messages">(50'000),
      scenario<GetTogether<AsMessages>, "get_messages">(50'000),
      scenario<MessagesRound, "messages_round">(50'000),
      scenario<MessagesAfter, "messages_after">(50'000),
      scenario<MessagesBeside, "messages_beside">(50'000),
      scenario<MessagesBehind, "messages_behind">(50'000),
      search<OneByOne<1, 2>, "small_capacity_1">(4),
      search<OneByOne<2, 2>, "small_capacity_2">(4),
      search<OneByOne<2, 1, 2>, "small_spanning">(6),
      search<TwoPut<1>, "small_two_put_1">(),
      search<TwoPut<2>, "small_two_put_2">(),
      search<TwoGet<1>, "small_two_get_1">(),
      search<TwoGet<2>, "small_two_get_2">(),
      search<Three<true>, "small_two_put_one_gets">(3),
      search<Three<false>, "small_one_puts_two_get">(3),
      search<PutTogether<AsBatch>, "small_put_batch">(2),
      search<GetTogether<AsBatch>, "small_get_batch">(2),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
