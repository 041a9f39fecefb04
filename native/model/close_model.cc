// How the queue is closed under those who wait.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// The queue is closed while an item is on its way: one of two waiting getters has it, if it was accepted, and both learn of the end.
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

// Who waits to put learns of the end too, also where it is another's turn.
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

// Discarding takes an item on its way from under who waits for it.
struct Discard : rl::test_suite<Discard, 4> {
  ModelQueue<2> queue;

  void thread(unsigned index) {
    if (index == 0) {
      queue.try_put(7);
    } else if (index == 1) {
      queue.core().close();
      queue.core().discard([] {
        rl::yield(1, $);
        return true;
      });
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
      scenario<CloseInFlight>("close_in_flight", 300'000),
      scenario<CloseFull>("close_full", 200'000),
      scenario<Discard>("discard", 200'000),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
