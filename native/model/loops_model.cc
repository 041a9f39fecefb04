// Event loops wait as in lib/queue/channel.ts and native/binding/queue.cc. A change wakes one of
// them, and a loop that leaves passes its wake on. Loops may be idle or busy, cancel their calls,
// and end.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

using TheQueue = ModelQueue<2>;

// One event loop, and its line of calls at one list of a queue.
struct Line {
  u32 loop() const { return Loops::kNumbers[number]; }

  // Serves that many calls: tries, announces, tries again and waits for a ring. Returns how many
  // were served before the others were cancelled or the isolate ended. attempt() makes one try of a
  // call.
  template <class Attempt>
  u32 serve(Loops& loops, u32 calls, bool may_give_up, Attempt&& attempt) {
    u32 served = 0;
    while (served < calls) {
      bool announced = false;
      for (;;) {
        const Status status = attempt();
        if (status == Status::ok) {
          if (++served == calls) break;
        } else if (announced) {
          break;
        } else {
          announce_loop(list, loop());
          announced = true;
        }
      }
      if (served < calls && !loops.wait(loop(), may_give_up)) break;
    }
    return served;
  }

  WaitList& list;
  u32 number;
};

struct Fixture {
  TheQueue queue;
  Loops loops;

  Fixture() { queue.set_loops(loops); }

  u32 get(u32 number, u32 calls = 1, bool may_give_up = false) {
    Line line{queue.list(), number};
    const u32 served = line.serve(loops, calls, may_give_up, [this] {
      u32 item;
      return queue.try_get(item);
    });
    queue.core().withdraw_from_gets(line.loop());
    return served;
  }

  u32 put(u32 number, u32 calls = 1, bool may_give_up = false) {
    Line line{queue.not_full_list(), number};
    const u32 served = line.serve(loops, calls, may_give_up, [this] { return queue.try_put(7); });
    queue.core().withdraw_from_puts(line.loop());
    return served;
  }
};

// Two threads put an item each for two loops, and the wakes reach both. The bits of the two lie in
// one word, or in two.
template <u32 second>
struct TwoLoops : rl::test_suite<TwoLoops<second>, 4> {
  Fixture fixture;

  void thread(unsigned index) {
    if (index < 2) {
      RL_ASSERT(fixture.queue.try_put(index) == Status::ok);
    } else {
      RL_ASSERT(fixture.get(index == 2 ? 0 : second) == 1);
    }
  }
};

// A batch makes one wake, which the loop that is woken passes on.
struct Batch : rl::test_suite<Batch, 3> {
  Fixture fixture;

  void thread(unsigned index) {
    u32 done;
    if (index == 0) {
      RL_ASSERT(fixture.queue.try_put_many(1, 2, done) == Status::ok && done == 2);
    } else {
      RL_ASSERT(fixture.get(index - 1) == 1);
    }
  }
};

// One of three loops gives up at any moment, perhaps as it is rung. The items are for the others,
// so if it took one first, it puts the item back.
struct GivingUp : rl::test_suite<GivingUp, 4> {
  Fixture fixture;

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(fixture.queue.put_exactly(1) == Status::ok);
      RL_ASSERT(fixture.queue.put_exactly(2) == Status::ok);
    } else if (index == 1) {
      if (fixture.get(0, 1, true) == 1) RL_ASSERT(fixture.queue.put_exactly(3) == Status::ok);
    } else {
      RL_ASSERT(fixture.get(index - 1) == 1);
    }
  }
};

// A loop gets one item, leaves, and comes again. By then a ring that was meant for its first call
// may arrive.
struct ComingAgain : rl::test_suite<ComingAgain, 4> {
  Fixture fixture;

  void thread(unsigned index) {
    if (index < 2) {
      RL_ASSERT(fixture.queue.put(index) == Status::ok);
      if (index == 0) RL_ASSERT(fixture.queue.put(2) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(fixture.get(0) == 1);
      RL_ASSERT(fixture.get(0) == 1);
    } else {
      RL_ASSERT(fixture.get(1) == 1);
    }
  }
};

// A loop waits beside a blocked thread that gives up again and again. Whichever is woken, both get
// their item.
struct BesideThread : rl::test_suite<BesideThread, 4> {
  Fixture fixture;

  void thread(unsigned index) {
    u32 number;
    if (index < 2) {
      RL_ASSERT(fixture.queue.try_put(index) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(fixture.get(0) == 1);
    } else {
      while (fixture.queue.get_with_deadline(number) != Status::ok) rl::yield(1, $);
    }
  }
};

// Slot 1 may be published before slot 0, into which another producer is still copying.
struct OutOfOrder : rl::test_suite<OutOfOrder, 4> {
  Fixture fixture;
  Atomic<u32> claimed;

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(fixture.queue.try_put_telling(0, claimed) == Status::ok);
    } else if (index == 1) {
      while (claimed.load(memory_order_relaxed) == 0) rl::yield(1, $);
      RL_ASSERT(fixture.queue.try_put(1) == Status::ok);
    } else {
      RL_ASSERT(fixture.get(index - 2) == 1);
    }
  }
};

// The same for room, where a batch makes room for two.
struct Room : rl::test_suite<Room, 4> {
  Fixture fixture;

  void before() {
    RL_ASSERT(fixture.queue.try_put(1) == Status::ok);
    RL_ASSERT(fixture.queue.try_put(2) == Status::ok);
  }

  void thread(unsigned index) {
    u32 done;
    if (index == 0) {
      u32 numbers[2];
      RL_ASSERT(fixture.queue.try_get_many(numbers, done) == Status::ok && done == 2);
    } else if (index == 1) {
      u32 number;
      if (fixture.put(0, 1, true) == 1) {
        while (fixture.queue.try_get(number) != Status::ok) rl::yield(1, $);
      }
    } else {
      RL_ASSERT(fixture.put(index - 1) == 1);
    }
  }
};

// One item for one loop.
struct OneLoop : rl::test_suite<OneLoop, 2> {
  Fixture fixture;

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(fixture.queue.try_put(0) == Status::ok);
    } else {
      RL_ASSERT(fixture.get(0) == 1);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<TwoLoops<1>, "two_loops">(100'000),
      scenario<TwoLoops<2>, "same_word">(30'000),
      scenario<Batch, "batch">(100'000),
      scenario<GivingUp, "giving_up">(100'000),
      scenario<ComingAgain, "coming_again">(100'000),
      scenario<BesideThread, "beside_thread">(100'000),
      scenario<OutOfOrder, "out_of_order">(100'000),
      scenario<Room, "room">(100'000),
      search<OneLoop, "small_one">(4),
      search<TwoLoops<1>, "small_two">(1),
      search<TwoLoops<2>, "small_same_word">(1),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
