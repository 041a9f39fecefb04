// Closing the queue while others wait.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// The queue is closed while an item is on its way. If the item was accepted, one of two waiting
// getters gets it, and both learn that the queue was closed.
struct CloseInFlight : rl::test_suite<CloseInFlight, 4> {
  ModelQueue<2> queue;
  u32 put;
  u32 got[2];

  void before() { put = got[0] = got[1] = 0; }

  void thread(unsigned index) {
    if (index == 0) {
      put = queue.try_put(7) == Status::ok;
    } else if (index == 1) {
      queue.core().close();
    } else {
      u32 number;
      Status status;
      while ((status = queue.get(number)) == Status::ok) got[index - 2]++;
      RL_ASSERT(status == Status::closed);
    }
  }

  void after() {
    RL_ASSERT(got[0] + got[1] == put);
    queue.check_nobody_waits();
  }
};

// A waiting put learns of the close too, even while another has the priority token.
struct CloseFull : rl::test_suite<CloseFull, 3> {
  ModelQueue<2, true> queue;

  void before() {
    queue.try_put(0);
    queue.try_put(0);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      queue.try_get(number);
      queue.core().close();
    } else {
      const Status status = queue.put(7, index, index);
      RL_ASSERT(status == Status::closed || status == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// Discarding drops an item on its way, for which a getter waits.
struct Discard : rl::test_suite<Discard, 4> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    if (index == 0) {
      queue.try_put(7);
    } else if (index == 1) {
      queue.core().close();
      queue.core().discard(yield);
    } else {
      u32 number;
      while (queue.get(number) != Status::closed) {
      }
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A handler puts and closes, and leaves the unparks to the helper, which may make them at any time.
// One of two getters comes and goes.
struct CloseInHandler : rl::test_suite<CloseInHandler, 4> {
  ModelQueue<2> queue;
  Helper helper;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      queue.until_announced(2);
      RL_ASSERT(queue.try_put_in_handler(helper, 7) == Status::ok);
      queue.close_in_handler(helper);
    } else if (index == 1) {
      while (queue.get(number) != Status::closed) {
      }
    } else if (index == 2) {
      while (queue.get_with_deadline(number) != Status::closed) rl::yield(1, $);
    } else {
      return helper.serve(3, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// The same for putters of messages that span slots.
struct CloseFullInHandler : rl::test_suite<CloseFullInHandler, 4> {
  ModelQueue<2, true> queue;
  Helper helper;

  void before() {
    queue.try_put(0);
    queue.try_put(0);
  }

  void thread(unsigned index) {
    if (index == 0) {
      queue.until_announced_to_put(2);
      queue.close_in_handler(helper);
    } else if (index == 1) {
      RL_ASSERT(queue.put(7, 1, index) == Status::closed);
    } else if (index == 2) {
      while (queue.put_with_deadline(7, 2, index) != Status::closed) rl::yield(1, $);
    } else {
      return helper.serve(3, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// The queue is closed while a getter waits, which learns of it.
struct CloseAndGet : rl::test_suite<CloseAndGet, 2> {
  ModelQueue<1> queue;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      queue.core().close();
    } else {
      RL_ASSERT(queue.get(number) == Status::closed);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<CloseInFlight, "close_in_flight">(100'000),
      scenario<CloseFull, "close_full">(100'000),
      scenario<Discard, "discard">(100'000),
      scenario<CloseInHandler, "close_in_handler">(100'000),
      scenario<CloseFullInHandler, "close_full_in_handler">(100'000),
      search<CloseAndGet, "small_close_and_get">(5),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
