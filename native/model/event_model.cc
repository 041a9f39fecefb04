// Waiting for an event.
#include "event_fixture.h"
#include "main.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// The event is set while a thread begins to wait.
struct Set : rl::test_suite<Set, 2> {
  ModelEvent event;
  rl::var<u32> told;

  void thread(unsigned index) {
    if (index == 0) {
      told($) = 1;
      event.set();
    } else {
      RL_ASSERT(event.wait() == Status::ok);
      RL_ASSERT(u32(told($)) == 1);
    }
  }

  void after() { event.check_nobody_waits(); }
};

// Setting and clearing at once serves both waiters, even if neither has run in between.
struct SetAndClear : rl::test_suite<SetAndClear, 3> {
  ModelEvent event;

  void thread(unsigned index) {
    if (index == 0) {
      event.until_announced(2);
      event.set();
      event.clear();
    } else {
      RL_ASSERT(event.wait() == Status::ok);
    }
  }

  void after() { event.check_nobody_waits(); }
};

// The wake for one setting may come late, when the thread already waits for the next.
struct LateWake : rl::test_suite<LateWake, 3> {
  ModelEvent event;
  Atomic<u32> cleared;

  void thread(unsigned index) {
    if (index == 0) {
      event.set();
    } else if (index == 1) {
      while (!event.core().is_set()) rl::yield(1, $);
      event.clear();
      cleared.store(1, memory_order_seq_cst);
      while (calls_waiting(event.list()) == 0) rl::yield(1, $);
      event.set();
    } else {
      while (cleared.load(memory_order_seq_cst) == 0) rl::yield(1, $);
      RL_ASSERT(event.wait() == Status::ok);
    }
  }

  void after() { event.check_nobody_waits(); }
};

// Two threads wait, and one gives up. The other's wake is not lost with it.
struct GivingUp : rl::test_suite<GivingUp, 4> {
  ModelEvent event;

  void thread(unsigned index) {
    if (index == 0) {
      event.set();
      event.clear();
      event.set();
    } else if (index == 1) {
      event.wait_with_deadline();
    } else {
      RL_ASSERT(event.wait() == Status::ok);
    }
  }

  void after() { event.check_nobody_waits(); }
};

// Waits for short times, again and again, and takes any permit it meets. The other thread waits for
// ever.
void come_and_go(ModelEvent& event) {
  while (event.wait_with_deadline() != Status::ok) rl::yield(1, $);
}

// A handler sets the event and leaves the unparks to the helper, which may make them at any time.
struct SetInHandler : rl::test_suite<SetInHandler, 4> {
  ModelEvent event;
  Helper helper;

  void thread(unsigned index) {
    if (index == 0) {
      event.until_announced(2);
      event.set_in_handler(helper);
    } else if (index == 1) {
      RL_ASSERT(event.wait() == Status::ok);
    } else if (index == 2) {
      come_and_go(event);
    } else {
      return helper.serve(3, [this] { event.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { event.check_nobody_waits(); }
};

// The same with a thread that sets it. It may be preempted between the permits and the unpark.
struct SetByPreempted : rl::test_suite<SetByPreempted, 3> {
  ModelEvent event;

  void thread(unsigned index) {
    if (index == 0) {
      event.set();
      event.clear();
      event.set();
    } else if (index == 1) {
      RL_ASSERT(event.wait() == Status::ok);
    } else {
      come_and_go(event);
    }
  }

  void after() { event.check_nobody_waits(); }
};

// Two handlers and a thread set the event, and clear it in between. Each may find what another has
// noted, or a permit that another has given.
struct SetByMany : rl::test_suite<SetByMany, 5> {
  ModelEvent event;
  Helper helper;

  void thread(unsigned index) {
    if (index == 0) {
      event.set_in_handler(helper);
      event.clear();
      event.set();
    } else if (index == 1) {
      event.set_in_handler(helper);
    } else if (index == 2) {
      RL_ASSERT(event.wait() == Status::ok);
    } else if (index == 3) {
      come_and_go(event);
    } else {
      return helper.serve(4, [this] { event.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { event.check_nobody_waits(); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<Set, "set">(100'000),
      scenario<SetAndClear, "set_and_clear">(100'000),
      scenario<LateWake, "late_wake">(100'000),
      scenario<GivingUp, "giving_up">(100'000),
      scenario<SetInHandler, "set_in_handler">(100'000),
      scenario<SetByPreempted, "set_by_preempted">(100'000),
      scenario<SetByMany, "set_by_many">(100'000),
      search<Set, "small_set">(6),
      search<SetAndClear, "small_set_and_clear">(3),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
