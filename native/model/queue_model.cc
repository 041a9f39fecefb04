// Waiting for items and room. A lost wake shows as a deadlock, since no thread here looks again by
// itself after a slice of time.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// One putter, one getter and one slot. Each waits for the other.
struct PingPong : rl::test_suite<PingPong, 2> {
  ModelQueue<1> queue;

  void thread(unsigned index) {
    for (u32 k = 0; k < 3; k++) {
      if (index == 0) {
        RL_ASSERT(queue.put(k) == Status::ok);
      } else {
        u32 number;
        RL_ASSERT(queue.get(number) == Status::ok && number == k);
      }
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// Trap 1: an item published behind a slot that is still claimed wakes somebody in vain.
struct OutOfOrder : rl::test_suite<OutOfOrder, 4> {
  ModelQueue<2> queue;
  u32 got[2];

  void thread(unsigned index) {
    if (index < 2) {
      RL_ASSERT(queue.try_put(index) == Status::ok);
    } else {
      RL_ASSERT(queue.get(got[index - 2]) == Status::ok);
    }
  }

  void after() {
    RL_ASSERT(got[0] + got[1] == 1);
    queue.check_nobody_waits();
  }
};

// Trap 1, for room: two slots are freed out of order while two putters wait.
struct OutOfOrderRoom : rl::test_suite<OutOfOrderRoom, 4> {
  ModelQueue<2> queue;

  void before() {
    queue.try_put(0);
    queue.try_put(0);
  }

  void thread(unsigned index) {
    u32 number;
    if (index < 2) {
      RL_ASSERT(queue.try_get(number) == Status::ok);
    } else {
      RL_ASSERT(queue.put(index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// Trap 2: a wake may be spent on a getter while it gives up, or while it takes its item by another
// try. If it got the item it puts it back. So the other getter, which never gives up, always gets
// one.
struct GivingUp : rl::test_suite<GivingUp, 3> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_put(7) == Status::ok);
    } else if (index == 1) {
      const Status status = queue.get_with_deadline(number);
      RL_ASSERT(status == Status::ok || status == Status::timeout);
      if (status == Status::ok) RL_ASSERT(queue.try_put(number) == Status::ok);
    } else {
      RL_ASSERT(queue.get(number) == Status::ok && number == 7);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// Trap 2, with items for both: each of two waiters gets an item, whichever was woken for which.
struct WakeSpentOnAnother : rl::test_suite<WakeSpentOnAnother, 4> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    u32 number;
    if (index < 2) {
      RL_ASSERT(queue.try_put(7) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(queue.get(number) == Status::ok);
    } else {
      while (queue.get_with_deadline(number) != Status::ok) rl::yield(1, $);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A thread that passes on a wake may be overtaken, as it looks, by a get that does not wait. The
// item behind the one that this get takes was published first, so its wake has been spent.
struct Overtaken : rl::test_suite<Overtaken, 4> {
  ModelQueue<4> queue;
  Atomic<u32> claimed;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_put_telling(0, claimed) == Status::ok);
    } else if (index == 1) {
      while (claimed.load(memory_order_relaxed) == 0) rl::yield(1, $);
      u32 done;
      RL_ASSERT(queue.try_put_many(1, 2, done) == Status::ok && done == 2);
      while (queue.try_get(number) != Status::ok) rl::yield(1, $);
    } else {
      RL_ASSERT(queue.get(number) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// The same for room.
struct OvertakenRoom : rl::test_suite<OvertakenRoom, 4> {
  ModelQueue<3> queue;

  void before() {
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_get(number) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(queue.try_get(number) == Status::ok);
      RL_ASSERT(queue.try_get(number) == Status::ok);
      while (queue.try_put(9) != Status::ok) rl::yield(1, $);
    } else {
      RL_ASSERT(queue.put(index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A batch makes one wake, which the woken thread passes on.
struct Batch : rl::test_suite<Batch, 3> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    u32 number;
    u32 done;
    if (index == 0) {
      RL_ASSERT(queue.try_put_many(1, 2, done) == Status::ok && done == 2);
    } else {
      RL_ASSERT(queue.get(number) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

struct BatchRoom : rl::test_suite<BatchRoom, 3> {
  ModelQueue<2> queue;

  void before() {
    queue.try_put(0);
    queue.try_put(0);
  }

  void thread(unsigned index) {
    u32 done;
    if (index == 0) {
      u32 numbers[2];
      RL_ASSERT(queue.try_get_many(numbers, done) == Status::ok && done == 2);
    } else {
      RL_ASSERT(queue.put(index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// The same as WebAssembly does it.
struct Runs : rl::test_suite<Runs, 3> {
  ModelQueue<4> queue;

  void thread(unsigned index) {
    u32 number;
    u32 done;
    if (index == 0) {
      RL_ASSERT(queue.try_put_in_runs(1, 4, done) == Status::ok && done == 4);
    } else {
      for (u32 k = 0; k < 2; k++) RL_ASSERT(queue.get(number) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

struct RunsRoom : rl::test_suite<RunsRoom, 3> {
  ModelQueue<4> queue;

  void before() {
    for (u32 k = 0; k < 4; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    u32 done;
    if (index == 0) {
      u32 numbers[4];
      RL_ASSERT(queue.try_get_in_runs(numbers, done) == Status::ok && done == 4);
    } else {
      for (u32 k = 0; k < 2; k++) RL_ASSERT(queue.put(index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A batch that is larger than the queue is put in pieces, in order.
struct PutMany : rl::test_suite<PutMany, 2> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    if (index == 0) {
      u32 done;
      RL_ASSERT(queue.put_many(0, 4, done) == Status::ok && done == 4);
      return;
    }
    for (u32 k = 0; k < 4; k++) {
      u32 number;
      RL_ASSERT(queue.get(number) == Status::ok && number == k);
    }
  }

  void after() {
    RL_ASSERT(queue.core().size() == 0);
    queue.check_nobody_waits();
  }
};

// A handler puts three items and leaves the unparks to the helper, which may make them at any time.
// Two getters wait for ever. One comes and goes, and takes any permit it meets.
struct PutInHandler : rl::test_suite<PutInHandler, 5> {
  ModelQueue<3> queue;
  Helper helper;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      queue.until_announced(3);
      for (u32 k = 0; k < 3; k++) RL_ASSERT(queue.try_put_in_handler(helper, k) == Status::ok);
    } else if (index < 3) {
      RL_ASSERT(queue.get(number) == Status::ok);
    } else if (index == 3) {
      while (queue.get_with_deadline(number) != Status::ok) rl::yield(1, $);
    } else {
      return helper.serve(4, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// The same for room.
struct GetInHandler : rl::test_suite<GetInHandler, 5> {
  ModelQueue<3> queue;
  Helper helper;

  void before() {
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    if (index == 0) {
      queue.until_announced_to_put(3);
      for (u32 k = 0; k < 3; k++) RL_ASSERT(queue.try_get_in_handler(helper) == Status::ok);
    } else if (index < 3) {
      RL_ASSERT(queue.put(index) == Status::ok);
    } else if (index == 3) {
      while (queue.put_with_deadline(index) != Status::ok) rl::yield(1, $);
    } else {
      return helper.serve(4, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// Handlers strike two threads. The first to give a permit may be the last to note it.
struct TwoHandlers : rl::test_suite<TwoHandlers, 5> {
  ModelQueue<2> queue;
  Helper helper;
  Atomic<u32> first_is_done;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      queue.until_announced(2);
      RL_ASSERT(queue.try_put_in_handler(helper, 1) == Status::ok);
      first_is_done.store(1, memory_order_seq_cst);
    } else if (index == 1) {
      while (permits(queue.list()) == 0 && first_is_done.load(memory_order_seq_cst) == 0) rl::yield(1, $);
      RL_ASSERT(queue.try_put_in_handler(helper, 2) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(queue.get(number) == Status::ok);
    } else if (index == 3) {
      while (queue.get_with_deadline(number) != Status::ok) rl::yield(1, $);
    } else {
      return helper.serve(4, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// Of two notes for the helper the larger is not lost, whichever comes first, and the thread that
// takes it sees what was written before it.
struct Notes : rl::test_suite<Notes, 3> {
  WaitList list;
  DeferredUnparks unparks;
  rl::var<u32> change;
  u32 most = 0;

  void thread(unsigned index) {
    if (index == 0) {
      unparks.note(list, 1);
    } else if (index == 1) {
      change($) = 1;
      unparks.note(list, 2);
    } else {
      make();
    }
  }

  void before() { unparks.set_lists(list, nullptr); }
  void after() {
    make();
    RL_ASSERT(most == 2);
  }

  void make() {
    unparks.make([this](const WaitList&, u32 noted) {
      if (noted == 2) RL_ASSERT(u32(change($)) == 1);
      most = most > noted ? most : noted;
    });
  }
};

// Two threads put. Each may be preempted between the permit and the unpark, while a waiter comes
// and goes.
struct PutByPreempted : rl::test_suite<PutByPreempted, 4> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    u32 number;
    if (index < 2) {
      RL_ASSERT(queue.try_put(index) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(queue.get(number) == Status::ok);
    } else {
      while (queue.get_with_deadline(number) != Status::ok) rl::yield(1, $);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A thread waits for one item, or for room.
struct OneItem : rl::test_suite<OneItem, 2> {
  ModelQueue<1> queue;

  void thread(unsigned index) {
    u32 number;
    RL_ASSERT((index == 0 ? queue.try_put(7) : queue.get(number)) == Status::ok);
  }

  void after() { queue.check_nobody_waits(); }
};

struct OneRoom : rl::test_suite<OneRoom, 2> {
  ModelQueue<1> queue;

  void before() { queue.try_put(0); }

  void thread(unsigned index) {
    u32 number;
    RL_ASSERT((index == 0 ? queue.try_get(number) : queue.put(7)) == Status::ok);
  }

  void after() { queue.check_nobody_waits(); }
};

// Two threads wait, each for one of two items. The second item, or the thread that leaves, wakes
// the other.
struct TwoItems : rl::test_suite<TwoItems, 3> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_put(0) == Status::ok);
      RL_ASSERT(queue.try_put(1) == Status::ok);
    } else {
      RL_ASSERT(queue.get(number) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<PingPong, "ping_pong">(100'000),
      scenario<OutOfOrder, "out_of_order">(100'000),
      scenario<OutOfOrderRoom, "out_of_order_room">(100'000),
      scenario<Batch, "batch">(100'000),
      scenario<BatchRoom, "batch_room">(100'000),
      scenario<Runs, "runs">(30'000),
      scenario<RunsRoom, "runs_room">(30'000),
      scenario<PutMany, "put_many">(30'000),
      scenario<GivingUp, "giving_up">(100'000),
      scenario<WakeSpentOnAnother, "wake_spent_on_another">(100'000),
      scenario<Overtaken, "overtaken">(100'000),
      scenario<OvertakenRoom, "overtaken_room">(400'000),
      scenario<PutInHandler, "put_in_handler">(100'000),
      scenario<GetInHandler, "get_in_handler">(100'000),
      scenario<TwoHandlers, "two_handlers">(100'000),
      scenario<Notes, "notes">(100'000),
      scenario<PutByPreempted, "put_by_preempted">(100'000),
      search<OneItem, "small_item">(5),
      search<OneRoom, "small_room">(4),
      search<TwoItems, "small_two_items">(2),
      search<Notes, "small_notes">(2),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
