// One thread waits at several lists.
#include "event_fixture.h"
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

using OneQueue = ModelQueue<2>;

// A source of wait_any(), of either kind.
struct Source {
  explicit Source(OneQueue& q) : queue(&q) {}
  explicit Source(ModelEvent& e) : event(&e) {}
  WaitList& list() { return queue ? queue->list() : event->list(); }
  bool ready() { return queue ? queue->ready() : event->ready(); }
  // Passes a wake on. The thread may be preempted after that.
  void pass_on() {
    queue ? queue->pass_on() : event->pass_on();
    delay();
  }
  OneQueue* queue = nullptr;
  ModelEvent* event = nullptr;
};

template <class First, class Second>
Status wait_for_either(First& first, Second& second, bool has_deadline = false) {
  Source sources[] = {Source(first), Source(second)};
  Parker parker(first.parking(), second.parking(), has_deadline);
  return wait_any(sources, parker);
}

template <class Suite, rl::thread_id_t threads>
struct AtTwoQueues : rl::test_suite<Suite, threads> {
  OneQueue first, second;

  void after() {
    first.check_nobody_waits();
    second.check_nobody_waits();
  }
};

template <class Suite, rl::thread_id_t threads>
struct AtQueueAndEvent : rl::test_suite<Suite, threads> {
  OneQueue queue;
  ModelEvent event;

  void after() {
    queue.check_nobody_waits();
    event.check_nobody_waits();
  }
};

// Takes an item from either queue.
void select(OneQueue& first, OneQueue& second) {
  u32 number;
  for (;;) {
    RL_ASSERT(wait_for_either(first, second) == Status::ok);
    if (first.try_get(number) == Status::ok || second.try_get(number) == Status::ok) return;
  }
}

// A thread takes whichever item comes first, and then the other.
struct Either : AtTwoQueues<Either, 3> {
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(first.try_put(7) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(second.try_put(7) == Status::ok);
    } else {
      select(first, second);
      select(first, second);
    }
  }
};

// A wake of the first queue may be spent on the selecting thread, which has an item of the second.
// The getter at the first must still get its item.
struct SpentOnSelect : AtTwoQueues<SpentOnSelect, 4> {
  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(first.try_put(7) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(second.try_put(7) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(first.get(number) == Status::ok);
    } else {
      RL_ASSERT(wait_for_either(first, second) == Status::ok);
      while (second.try_get(number) != Status::ok) rl::yield(1, $);
    }
  }
};

// The selecting thread gives up, or sees the item and leaves it. The getter must get it.
struct LeavesIt : AtTwoQueues<LeavesIt, 3> {
  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(second.try_put(7) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(second.get(number) == Status::ok);
    } else {
      wait_for_either(first, second, true);
    }
  }
};

// Another thread takes the item of a thread that was woken for it, or that is about to sleep. That
// thread is announced again, and the next item wakes it.
struct WokenInVain : AtTwoQueues<WokenInVain, 2> {
  void thread(unsigned index) {
    if (index == 1) return select(first, second);
    u32 number;
    second.until_announced(1);
    RL_ASSERT(second.try_put(1) == Status::ok);
    if (second.try_get(number) != Status::ok) return;
    second.until_announced(1);
    RL_ASSERT(second.try_put(2) == Status::ok);
  }
};

// Two threads select from the same two queues. Each gets its item, whichever was woken for which.
struct TwoSelect : AtTwoQueues<TwoSelect, 4> {
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(first.try_put(7) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(second.try_put(7) == Status::ok);
    } else if (index == 2) {
      select(first, second);
    } else {
      select(second, first);
    }
  }
};

// A queue is closed, with or without an item on its way.
struct Closed : AtTwoQueues<Closed, 3> {
  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      second.try_put(7);
    } else if (index == 1) {
      second.core().close();
    } else {
      Status status;
      do {
        RL_ASSERT(wait_for_either(first, second) == Status::ok);
        status = second.try_get(number);
      } while (status != Status::closed);
    }
  }
};

// An event is set and cleared at once while two threads wait, one of them also at a queue.
struct SetAndClear : AtQueueAndEvent<SetAndClear, 3> {
  void thread(unsigned index) {
    if (index == 0) {
      event.until_announced(2);
      event.set();
      event.clear();
    } else if (index == 1) {
      RL_ASSERT(event.wait() == Status::ok);
    } else {
      RL_ASSERT(wait_for_either(queue, event) == Status::ok);
    }
  }
};

// A handler sets an event and leaves the unparks to the helper, which may make them at any time.
// One thread waits for it for ever. The selecting one comes and goes, and takes any permit it
// meets.
struct EventInHandler : AtQueueAndEvent<EventInHandler, 4> {
  Helper helper;

  void thread(unsigned index) {
    if (index == 0) {
      event.until_announced(2);
      event.set_in_handler(helper);
    } else if (index == 1) {
      RL_ASSERT(event.wait() == Status::ok);
    } else if (index == 2) {
      while (wait_for_either(queue, event, true) != Status::ok) rl::yield(1, $);
    } else {
      return helper.serve(3, [this] { event.make_unparks(); });
    }
    helper.one_has_finished();
  }
};

// The reverse: the selecting thread stays, and the one that waits for the event comes and goes.
struct SelectInHandler : AtQueueAndEvent<SelectInHandler, 4> {
  Helper helper;

  void thread(unsigned index) {
    if (index == 0) {
      event.until_announced(2);
      event.set_in_handler(helper);
    } else if (index == 1) {
      RL_ASSERT(wait_for_either(queue, event) == Status::ok);
    } else if (index == 2) {
      while (event.wait_with_deadline() != Status::ok) rl::yield(1, $);
    } else {
      return helper.serve(3, [this] { event.make_unparks(); });
    }
    helper.one_has_finished();
  }
};

// Handlers put into both queues, two items into the first. One thread gets from the first. The
// selecting one comes and goes until it has an item from either.
struct ItemsInHandler : AtTwoQueues<ItemsInHandler, 5> {
  Helper helper;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      first.until_announced(1);
      RL_ASSERT(first.try_put_in_handler(helper, 1) == Status::ok);
      RL_ASSERT(first.try_put_in_handler(helper, 2) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(second.try_put_in_handler(helper, 3) == Status::ok);
    } else if (index == 2) {
      RL_ASSERT(first.get(number) == Status::ok);
    } else if (index == 3) {
      do {
        while (wait_for_either(second, first, true) != Status::ok) rl::yield(1, $);
      } while (second.try_get(number) != Status::ok && first.try_get(number) != Status::ok);
    } else {
      return helper.serve(4, [this] {
        first.make_unparks();
        second.make_unparks();
      });
    }
    helper.one_has_finished();
  }
};

// One item comes for a thread that waits at two queues.
struct OneOfTwo : AtTwoQueues<OneOfTwo, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      RL_ASSERT(second.try_put(7) == Status::ok);
    } else {
      select(first, second);
    }
  }
};

// An event is set and cleared, beside a queue that stays empty.
struct OneEvent : AtQueueAndEvent<OneEvent, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      event.until_announced(1);
      event.set();
    } else {
      RL_ASSERT(wait_for_either(queue, event) == Status::ok);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<Either, "either">(100'000),
      scenario<SpentOnSelect, "spent_on_select">(100'000),
      scenario<LeavesIt, "leaves_it">(100'000),
      scenario<WokenInVain, "woken_in_vain">(100'000),
      scenario<TwoSelect, "two_select">(100'000),
      scenario<Closed, "closed">(100'000),
      scenario<SetAndClear, "set_and_clear">(100'000),
      scenario<EventInHandler, "event_in_handler">(100'000),
      scenario<SelectInHandler, "select_in_handler">(100'000),
      scenario<ItemsInHandler, "items_in_handler">(100'000),
      search<OneOfTwo, "small_one_of_two">(3),
      search<OneEvent, "small_event">(3),
      search<Either, "small_either">(1),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
