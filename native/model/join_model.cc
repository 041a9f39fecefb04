// Joins wait in event loops until no item is unfinished, as in lib/queue/join.ts and
// native/binding/queue.cc.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

template <Overflow overflow = Overflow::reject>
struct Fixture {
  ModelQueue<2, false, overflow> queue;
  Loops loops;

  Fixture() { queue.set_loops(loops); }

  // Looks, announces, looks again and waits for a ring. Returns false if it gives up, which it may
  // do at any moment if it has a deadline.
  bool join(u32 number, bool has_deadline = false) {
    const u32 loop = Loops::kNumbers[number];
    const JoinStart start = queue.core().join_start();
    while (!queue.core().all_done(start)) {
      announce_loop(queue.joins_list(), loop);
      if (queue.core().all_done(start)) return true;
      if (!loops.wait(loop, has_deadline)) return false;
    }
    return true;
  }

  void put(u32 item) { RL_ASSERT(queue.put_exactly(item) == Status::ok); }
  void get() {
    u32 item;
    while (queue.get_exactly(item) != Status::ok) rl::yield(1, $);
  }
  void get_and_finish() {
    get();
    RL_ASSERT(queue.core().task_done(1));
  }
};

// Two threads finish the last two items while a third begins to wait.
struct TwoFinish : rl::test_suite<TwoFinish, 3> {
  Fixture<> fixture;
  rl::var<u32> told[2];

  void before() {
    fixture.put(1);
    fixture.put(2);
  }

  void thread(unsigned index) {
    if (index < 2) {
      fixture.get();
      told[index]($) = 1;
      RL_ASSERT(fixture.queue.core().task_done(1));
    } else {
      RL_ASSERT(fixture.join(0));
      // The join ends only after both were reported, and sees what was done before that.
      RL_ASSERT(u32(told[0]($)) == 1 && u32(told[1]($)) == 1);
    }
  }
};

// Joins wait in two loops, one of which may give up.
struct TwoJoin : rl::test_suite<TwoJoin, 3> {
  Fixture<> fixture;

  void before() { fixture.put(1); }

  void thread(unsigned index) {
    if (index == 0) {
      fixture.get_and_finish();
    } else {
      const bool gives_up = index == 1;
      RL_ASSERT(fixture.join(index - 1, gives_up) || gives_up);
    }
  }
};

// Items that are dropped count as done, whether they are cleared, discarded or evicted.
struct Cleared : rl::test_suite<Cleared, 3> {
  Fixture<> fixture;

  void before() {
    fixture.put(1);
    fixture.put(2);
  }

  void thread(unsigned index) {
    if (index == 0) {
      u32 item;
      if (fixture.queue.get_exactly(item) == Status::ok) RL_ASSERT(fixture.queue.core().task_done(1));
    } else if (index == 1) {
      fixture.queue.core().clear(yield);
    } else {
      RL_ASSERT(fixture.join(0));
    }
  }
};

struct Discarded : rl::test_suite<Discarded, 2> {
  Fixture<> fixture;

  void before() {
    fixture.put(1);
    fixture.put(2);
  }

  void thread(unsigned index) {
    if (index == 0) {
      fixture.queue.core().close();
      fixture.queue.core().discard(yield);
    } else {
      RL_ASSERT(fixture.join(0));
    }
  }
};

// clear() drops the items of its beginning, not one that was put when another thread had got the
// last of those.
struct ClearedBeside : rl::test_suite<ClearedBeside, 2> {
  Fixture<> fixture;
  u32 cleared;
  u32 got;

  void before() {
    got = 0;
    fixture.put(1);
    fixture.put(2);
  }

  void thread(unsigned index) {
    if (index == 0) {
      cleared = fixture.queue.core().clear(yield);
    } else {
      u32 item;
      while (fixture.queue.core().stats().discarded == 0) rl::yield(1, $);
      got = fixture.queue.get_exactly(item) == Status::ok;
      fixture.put(3);
    }
  }

  void after() {
    u32 item;
    RL_ASSERT(cleared + got == 2);
    RL_ASSERT(fixture.queue.get_exactly(item) == Status::ok && item == 3);
  }
};

// A report of an item that was not got is refused, though clear() drops items.
struct ReportedTooMany : rl::test_suite<ReportedTooMany, 2> {
  Fixture<> fixture;

  void before() {
    fixture.put(1);
    fixture.put(2);
  }

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(fixture.queue.core().clear(yield) == 2);
    } else {
      // The item that is being dropped may not be counted yet.
      RL_ASSERT(!fixture.queue.core().task_done(2));
    }
  }
};

// A put evicts an item. Of the two items left, the last may be reported before the eviction is
// counted.
struct Evicted : rl::test_suite<Evicted, 3> {
  Fixture<Overflow::drop_oldest> fixture;

  void before() {
    fixture.put(1);
    fixture.put(2);
  }

  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(fixture.queue.offer_exactly(3) == Status::ok);
    } else if (index == 1) {
      // Gets two of the three items: all that are left, or all that come before the eviction, after
      // which none of the old ones are left.
      for (u32 finished = 0; finished + fixture.queue.dropped() < 3 && finished < 3;) {
        u32 item;
        if (fixture.queue.get_exactly(item) == Status::ok) {
          // The report must be accepted, though the eviction may not be counted yet.
          RL_ASSERT(fixture.queue.core().task_done(1));
          finished++;
        } else {
          rl::yield(1, $);
        }
      }
    } else {
      RL_ASSERT(fixture.join(0));
    }
  }
};

// All items were done for a moment, between one that is finished and another that never is. A join
// that had announced itself by then ends, though its loop runs later.
struct ForAMoment : rl::test_suite<ForAMoment, 2> {
  Fixture<> fixture;

  void before() { fixture.put(1); }

  void thread(unsigned index) {
    if (index == 0) {
      while (low(fixture.queue.joins_list().state.load(memory_order_seq_cst)) == 0) rl::yield(1, $);
      fixture.get_and_finish();
      fixture.put(2);
    } else {
      RL_ASSERT(fixture.join(0));
    }
  }
};

// The same, while the counts begin again.
struct LateMoment : rl::test_suite<LateMoment, 2> {
  Fixture<> fixture;

  void before() {
    fixture.queue.start_late();
    fixture.put(1);
  }

  void thread(unsigned index) {
    if (index == 0) {
      while (low(fixture.queue.joins_list().state.load(memory_order_seq_cst)) == 0) rl::yield(1, $);
      fixture.put(2);
      fixture.get_and_finish();
      fixture.get_and_finish();
      fixture.put(3);
    } else {
      RL_ASSERT(fixture.join(0));
    }
  }
};

// The moment was before the second join began, which must not end because of it.
struct MomentBefore : rl::test_suite<MomentBefore, 3> {
  Fixture<> fixture;

  void before() { fixture.put(1); }

  void thread(unsigned index) {
    if (index == 0) {
      fixture.get_and_finish();
    } else if (index == 1) {
      fixture.join(0, true);
    } else {
      while (!fixture.queue.core().all_done({0, 0})) rl::yield(1, $);
      fixture.put(2);
      RL_ASSERT(!fixture.join(1, true));
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<TwoFinish, "two_finish">(100'000),
      scenario<TwoJoin, "two_join">(100'000),
      scenario<Cleared, "cleared">(100'000),
      scenario<ClearedBeside, "cleared_beside">(20'000),
      scenario<ReportedTooMany, "reported_too_many">(20'000),
      scenario<Discarded, "discarded">(100'000),
      scenario<Evicted, "evicted">(100'000),
      scenario<ForAMoment, "for_a_moment">(100'000),
      scenario<LateMoment, "late_moment">(30'000),
      scenario<MomentBefore, "moment_before">(100'000),
      search<TwoFinish, "small_two_finish">(1),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
