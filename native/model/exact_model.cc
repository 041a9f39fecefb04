// Results of calls that do not wait are exact. A call returns full or empty only if the queue was,
// whatever copies are in progress, and drops only items whose room is needed. Callers that may wait
// do so for such a copy, and for nothing else. Signal handlers never wait.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

void until(const Atomic<u32>& flag) {
  while (flag.load(memory_order_acquire) == 0) rl::yield(1, $);
}

// A put that has returned is seen by every later get, even while another producer is in the middle
// of a put.
template <u32 slots>
struct ReturnedPutIsSeen : rl::test_suite<ReturnedPutIsSeen<slots>, 3> {
  ModelQueue<3, (slots > 1)> queue;
  Atomic<u32> returned;

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(queue.try_put(1) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(queue.put_exactly(2, slots) == Status::ok);
      returned.store(1, memory_order_release);
    } else {
      until(returned);
      u32 number;
      RL_ASSERT(queue.get_exactly(number) == Status::ok);
    }
  }
};

// The room that a get has made is seen by every later put, even while another consumer is in the
// middle of a get.
template <u32 slots>
struct ReturnedGetIsSeen : rl::test_suite<ReturnedGetIsSeen<slots>, 3> {
  ModelQueue<3, (slots > 1)> queue;
  Atomic<u32> returned;

  void before() {
    queue.try_put(0);
    queue.try_put(0, slots);
    if (slots == 1) queue.try_put(0);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_get(number) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(queue.get_exactly(number) == Status::ok);
      returned.store(1, memory_order_release);
    } else {
      until(returned);
      RL_ASSERT(queue.put_exactly(9) == Status::ok);
    }
  }
};

// There are as many tokens as the queue holds, so a thread that has taken one finds room for it.
template <u32 capacity, u32 threads>
struct Tokens : rl::test_suite<Tokens<capacity, threads>, threads> {
  ModelQueue<capacity> queue;

  void before() {
    for (u32 k = 0; k < capacity; k++) queue.try_put(k);
  }

  void thread(unsigned) {
    for (u32 k = 0; k < 2; k++) {
      u32 token;
      if (queue.get_exactly(token) == Status::ok) RL_ASSERT(queue.put_exactly(token) == Status::ok);
    }
  }

  void after() { RL_ASSERT(queue.core().size() == capacity); }
};

// One slot's item is being copied out, while another item is taken and put back again and again.
// Whenever the two words are read, there is room for one more.
struct Passing : rl::test_suite<Passing, 3> {
  ModelQueue<2> queue;
  Atomic<u32> claimed;

  void before() {
    queue.try_put(0);
    queue.try_put(0);
  }

  void thread(unsigned index) {
    u32 number = 0;
    if (index == 0) {
      const auto tell = [&] { claimed.store(1, memory_order_release); };
      RL_ASSERT(queue.get_and(number, tell) == Status::ok);
      return;
    }
    until(claimed);
    if (index == 1) {
      RL_ASSERT(queue.put_exactly(9) == Status::ok);
      return;
    }
    for (u32 k = 0; k < 2; k++) {
      RL_ASSERT(queue.get_exactly(number) == Status::ok);
      RL_ASSERT(queue.put_exactly(number) == Status::ok);
    }
    RL_ASSERT(queue.get_exactly(number) == Status::ok);
  }
};

// There is always an item, since a thread that takes one puts it back before it takes another, and
// the other thread has put one more.
struct NeverEmpty : rl::test_suite<NeverEmpty, 3> {
  ModelQueue<3> queue;

  void before() {
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned) {
    u32 token;
    RL_ASSERT(queue.get_exactly(token) == Status::ok);
    RL_ASSERT(queue.put_exactly(token) == Status::ok);
  }
};

// Two puts evict. Between the oldest item and its replacement the queue is never empty, and only
// items in the way are evicted.
struct Replaced : rl::test_suite<Replaced, 3> {
  ModelQueue<1, false, Overflow::drop_oldest> queue;

  void before() { queue.try_put(1); }

  void thread(unsigned index) {
    if (index < 2) {
      RL_ASSERT(queue.offer_exactly(2 + index) == Status::ok);
    } else {
      u32 number;
      RL_ASSERT(queue.get_exactly(number) == Status::ok);
    }
  }

  void after() { RL_ASSERT(queue.core().size() + queue.dropped() == 2); }
};

// The same with an item longer than those that it evicts, while a short one is put.
struct ReplacedByLong : rl::test_suite<ReplacedByLong, 3> {
  ModelQueue<3, true, Overflow::drop_oldest> queue;

  void before() {
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.offer_exactly(7, 2) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(queue.get_exactly(number) == Status::ok);
    } else {
      RL_ASSERT(queue.offer_exactly(8) == Status::ok);
    }
  }

  // Four slots are needed, and there are three and what the get frees. So one or two items were
  // evicted before it, or it took the place of one of them.
  void after() {
    u32 number;
    u32 left = 0;
    while (queue.try_get(number) == Status::ok) left++;
    RL_ASSERT(left + queue.dropped() == 4);
    RL_ASSERT(queue.dropped() <= 3);
  }
};

// An item is evicted beside batches and runs of others. Each item comes out at most once, and those
// that do not were dropped.
struct EvictBesideBatch : rl::test_suite<EvictBesideBatch, 3> {
  static constexpr u32 kNumbers = 6;
  ModelQueue<3, false, Overflow::drop_oldest> queue;
  u32 accepted = 4;
  u32 got = 0;
  u32 numbers[2];

  void before() {
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(queue.offer_exactly(3) == Status::ok);
      return;
    }
    const bool as_run = rl::rand(2) == 0;
    u32 done = 0;
    if (index == 1) {
      if (!as_run) {
        queue.try_get_many(numbers, done);
      } else if (queue.try_get_run(numbers)) {
        done = 2;
      }
      got = done;
    } else {
      if (!as_run) {
        queue.try_put_many(4, 2, done);
      } else if (queue.try_put_run<2>(4)) {
        done = 2;
      }
      accepted += done;
    }
  }

  void after() {
    bool came[kNumbers] = {};
    const auto comes = [&](u32 number) {
      RL_ASSERT(number < kNumbers && !came[number]);
      came[number] = true;
    };
    for (u32 k = 0; k < got; k++) comes(numbers[k]);
    const u32 left = queue.core().size();
    RL_ASSERT(got + left + queue.dropped() == accepted);
    u32 number;
    while (queue.try_get(number) == Status::ok) comes(number);
  }
};

// A handler strikes a get or a put in the middle of its copy, while another thread does the same.
// It waits for neither, and evicts nothing in vain. A handler that waited would never end here, as
// the copy is its own thread's.
template <Overflow overflow>
struct Handlers : rl::test_suite<Handlers<overflow>, 2> {
  ModelQueue<2, false, overflow> queue;
  u32 refused[2];

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    u32 number = 0;
    refused[index] = 0;
    const auto strike = [&] { refused[index] += queue.offer(9) != Status::ok; };
    RL_ASSERT(queue.get_and(number, strike) != Status::closed);
    queue.put_and(number, 1, [&] {
      u32 other;
      queue.try_get(other);
    });
  }

  void after() {
    if (overflow == Overflow::drop_newest) RL_ASSERT(queue.dropped() == refused[0] + refused[1]);
  }
};

// A get is in the middle of the one item whose slot a handler needs, so no eviction could make
// room.
struct NotInVain : rl::test_suite<NotInVain, 2> {
  ModelQueue<2, false, Overflow::drop_oldest> queue;
  Status offered;

  void before() {
    queue.try_put(1);
    queue.try_put(2);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_get(number) == Status::ok);
    } else {
      offered = queue.offer(3);
    }
  }

  void after() {
    // Two items are left if the offer came after the get, or if it evicted item 1 first, so that
    // the get got item 2. If it came in between, item 2 is left.
    RL_ASSERT(queue.core().size() == (offered == Status::ok && queue.dropped() == 0 ? 2 : 1));
    RL_ASSERT(queue.dropped() <= 1);
  }
};

// A putter blocks while another holds the tail. The wake for the room that it then finds may come
// while it can't take that room.
struct BlockedBehindEvictor : rl::test_suite<BlockedBehindEvictor, 3> {
  ModelQueue<1, false, Overflow::drop_oldest> queue;
  Atomic<u32> offered;

  void before() { queue.try_put(1); }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.offer_exactly(2) == Status::ok);
      offered.store(1, memory_order_release);
    } else if (index == 1) {
      RL_ASSERT(queue.put(3) == Status::ok);
    } else {
      RL_ASSERT(queue.get_exactly(number) == Status::ok);
      until(offered);
      queue.get_exactly(number);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// The same with a long item, which takes more room than its replacement needs.
struct BlockedBehindLong : rl::test_suite<BlockedBehindLong, 2> {
  ModelQueue<2, true, Overflow::drop_oldest> queue;

  void before() { queue.try_put(1, 2); }

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(queue.offer_exactly(2) == Status::ok);
    } else {
      RL_ASSERT(queue.put(3) == Status::ok);
    }
  }

  void after() {
    RL_ASSERT(queue.core().size() == 2);
    queue.check_nobody_waits();
  }
};

// If an item was evicted, its replacement is in the queue. A put that fails has evicted nothing.
struct ClosedMeanwhile : rl::test_suite<ClosedMeanwhile, 3> {
  ModelQueue<1, false, Overflow::drop_oldest> queue;
  Status offered;
  u32 got;

  void before() { queue.try_put(1); }

  void thread(unsigned index) {
    if (index == 0) {
      offered = queue.offer_exactly(2);
    } else if (index == 1) {
      queue.core().close();
    } else {
      u32 number;
      got = 0;
      while (queue.get_exactly(number) == Status::ok) got++;
    }
  }

  void after() {
    u32 number;
    while (queue.try_get(number) == Status::ok) got++;
    RL_ASSERT(offered == Status::ok || offered == Status::closed);
    RL_ASSERT(got + queue.dropped() == (offered == Status::ok ? 2 : 1));
    RL_ASSERT(offered == Status::ok || queue.dropped() == 0);
  }
};

// A thread that blocks for an item learns of the close, even if it looked while another held the
// tail. That one then puts nothing, as the queue is closed.
struct BlockedAtClose : rl::test_suite<BlockedAtClose, 3> {
  ModelQueue<1, false, Overflow::drop_oldest> queue;

  void before() { queue.try_put(1); }

  void thread(unsigned index) {
    if (index == 0) {
      queue.offer_exactly(2);
    } else if (index == 1) {
      queue.core().close();
    } else {
      u32 number;
      while (queue.get(number) != Status::closed) {
      }
    }
  }

  void after() { queue.check_nobody_waits(); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<ReturnedPutIsSeen<1>, "returned_put">(100'000),
      scenario<ReturnedPutIsSeen<2>, "returned_put_spanning">(100'000),
      scenario<ReturnedGetIsSeen<1>, "returned_get">(100'000),
      scenario<ReturnedGetIsSeen<2>, "returned_get_spanning">(100'000),
      scenario<Tokens<1, 2>, "tokens_1">(100'000),
      scenario<Tokens<2, 3>, "tokens_2">(100'000),
      scenario<Passing, "passing">(100'000),
      scenario<NeverEmpty, "never_empty">(100'000),
      scenario<Replaced, "replaced">(100'000),
      scenario<ReplacedByLong, "replaced_by_long">(100'000),
      scenario<EvictBesideBatch, "evict_beside_batch">(30'000),
      scenario<Handlers<Overflow::reject>, "handlers_reject">(50'000),
      scenario<Handlers<Overflow::drop_newest>, "handlers_drop_newest">(50'000),
      scenario<Handlers<Overflow::drop_oldest>, "handlers_drop_oldest">(100'000),
      scenario<NotInVain, "not_in_vain">(100'000),
      scenario<BlockedBehindEvictor, "blocked_behind_evictor">(100'000),
      scenario<BlockedBehindLong, "blocked_behind_long">(100'000),
      scenario<ClosedMeanwhile, "closed_meanwhile">(100'000),
      scenario<BlockedAtClose, "blocked_at_close">(100'000),
      search<Tokens<1, 2>, "small_tokens">(3),
      search<Replaced, "small_replaced">(2),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
