// Putters wait where messages span slots, and the priority token changes hands.
#include "main.h"
#include "queue_fixture.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// Trap 3: room for one slot wakes a putter that needs two.
template <u32 capacity, u32 large>
struct LargeAndSmall : rl::test_suite<LargeAndSmall<capacity, large>, 3> {
  ModelQueue<capacity, true> queue;

  void before() {
    for (u32 k = 0; k < capacity; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    if (index == 0) {
      u32 number;
      for (u32 k = 0; k < capacity + 2; k++) RL_ASSERT(queue.get(number) == Status::ok);
    } else {
      RL_ASSERT(queue.put(100, index == 1 ? large : 1, index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// The same, but the messages are got as WebAssembly does it.
struct LargeAndSmallInWasm : rl::test_suite<LargeAndSmallInWasm, 3> {
  ModelQueue<2, true> queue;

  void before() {
    for (u32 k = 0; k < 2; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    if (index > 0) {
      RL_ASSERT(queue.put(100, 3 - index, index) == Status::ok);
      return;
    }
    u32 number;
    for (u32 k = 0; k < 4; k++) {
      while (queue.try_get_as_message(number) != Status::ok) rl::yield(1, $);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// The wake for a long message may go to a getter that has no room for it. It leaves, and passes the
// wake on.
struct TooShort : rl::test_suite<TooShort, 3> {
  ModelQueue<2, true> queue;

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_put(1, 2) == Status::ok);
    } else if (index == 1) {
      const Status status = queue.get_with_deadline(number, kPayloadBytes);
      RL_ASSERT(status == Status::too_small || status == Status::timeout);
    } else {
      RL_ASSERT(queue.get(number) == Status::ok && number == 1);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// Two putters of large messages wait, and one that gives up. The token changes hands, and none is
// left behind.
struct Tokens : rl::test_suite<Tokens, 4> {
  ModelQueue<3, true> queue;
  u32 gave_up;

  void before() {
    gave_up = 0;
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    if (index == 0) {
      u32 number;
      for (u32 k = 0; k < 5; k++) RL_ASSERT(queue.get(number) == Status::ok);
    } else if (index == 3) {
      const Status status = queue.put_with_deadline(100, 3, index);
      RL_ASSERT(status == Status::ok || status == Status::timeout);
      // Puts one too, so that there are as many messages as gets.
    } else {
      RL_ASSERT(queue.put(100, 3 - index, index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A message of several slots frees them by plain releases, and makes up for that when it looks for
// waiters.
struct FreeingMany : rl::test_suite<FreeingMany, 3> {
  ModelQueue<2, true> queue;

  void before() { queue.try_put(1, 2); }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      RL_ASSERT(queue.try_get(number) == Status::ok);
    } else {
      RL_ASSERT(queue.put(100, 1, index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A busy event loop has the priority token. Once there is room for both, the small putter need not
// wait for the loop, but the large one must. Handlers or a thread make all the room at once, so the
// large one may take every permit that results, and sleep.
template <bool in_handler>
struct BusyLoop : rl::test_suite<BusyLoop<in_handler>, 4> {
  static constexpr u32 kLoop = 7;
  ModelQueue<4, true> queue;
  Helper helper;
  ModelQueue<1> small_is_in;

  void before() {
    for (u32 k = 0; k < 4; k++) queue.try_put(k);
    queue.take_token({kLoop, true}, 2);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      for (u32 k = 0; k < 3; k++) RL_ASSERT((in_handler ? queue.try_get_in_handler(helper) : queue.try_get(number)) == Status::ok);
      RL_ASSERT(small_is_in.get(number) == Status::ok);
      // Gets the items that are left, and the small putter's. Then the large one has the whole
      // queue.
      for (u32 k = 0; k < 3; k++) RL_ASSERT(queue.get(number) == Status::ok);
      queue.core().give_up_token({kLoop, true});
    } else if (index == 1) {
      RL_ASSERT(queue.put(100, 1, index) == Status::ok);
      small_is_in.try_put(1);
    } else if (index == 2) {
      RL_ASSERT(queue.put(100, 3, index) == Status::ok);
    } else {
      return helper.serve(3, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// Handlers make the room for which a large and a small putter wait, and a third that comes and
// goes.
struct RoomInHandler : rl::test_suite<RoomInHandler, 5> {
  ModelQueue<3, true> queue;
  Helper helper;

  void before() {
    for (u32 k = 0; k < 3; k++) queue.try_put(k);
  }

  void thread(unsigned index) {
    if (index == 0) {
      for (u32 k = 0; k < 6; k++) {
        while (queue.try_get_in_handler(helper) != Status::ok) rl::yield(1, $);
      }
    } else if (index < 3) {
      RL_ASSERT(queue.put(100, 3 - index, index) == Status::ok);
    } else if (index == 3) {
      while (queue.put_with_deadline(100, 2, index) != Status::ok) rl::yield(1, $);
    } else {
      return helper.serve(4, [this] { queue.make_unparks(); });
    }
    helper.one_has_finished();
  }

  void after() { queue.check_nobody_waits(); }
};

// A busy loop has the priority token. It needs one slot, or the whole ring. The other putter must
// be woken when there is room for both, or when the queue is empty.
template <u32 capacity, u32 slots_of_loop>
struct BusyLoopAlone : rl::test_suite<BusyLoopAlone<capacity, slots_of_loop>, 3> {
  ModelQueue<capacity, true> queue;

  void before() {
    for (u32 k = 0; k < capacity; k++) queue.try_put(k);
    queue.take_token({9, true}, slots_of_loop);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      for (u32 k = 0; k < capacity; k++) RL_ASSERT(queue.get_exactly(number) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(queue.put(100) == Status::ok);
    } else {
      // Comes and goes, and leaves as much room as there was.
      if (queue.put_with_deadline(100, 1, 2) == Status::ok) queue.get_exactly(number);
    }
  }

  void after() {
    queue.core().give_up_token({9, true});
    queue.check_nobody_waits();
  }
};

// While a waiting putter has the token, no other goes ahead.
struct HeldBack : rl::test_suite<HeldBack, 3> {
  ModelQueue<2, true> queue;

  void before() {
    for (u32 k = 0; k < 2; k++) queue.try_put(k);
    queue.take_token({1, false}, 2);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      for (u32 k = 0; k < 4; k++) RL_ASSERT(queue.get(number) == Status::ok);
    } else if (index == 1) {
      RL_ASSERT(queue.put(100, 2, index) == Status::ok);
    } else {
      const u64 token = queue.token();
      const Status status = queue.first_put(100, index);
      // Putter 1 takes the token once, so it had it all the while.
      if (token_holder(token) == 1 && queue.token() == token) RL_ASSERT(status != Status::ok);
      if (status != Status::ok) RL_ASSERT(queue.put(100, 1, index) == Status::ok);
    }
  }

  void after() { queue.check_nobody_waits(); }
};

// A loop that has come round in vain three times holds others back though the queue is empty, but
// not one that was held back for too long.
struct HeldBackByLoop : rl::test_suite<HeldBackByLoop, 2> {
  ModelQueue<2, true> queue;

  void before() {
    for (u32 k = 0; k < 2; k++) queue.try_put(k);
    for (u32 k = 0; k < 4; k++) queue.take_token({9, true}, 2);
  }

  void thread(unsigned index) {
    u32 number;
    if (index == 0) {
      for (u32 k = 0; k < 2; k++) RL_ASSERT(queue.get(number) == Status::ok);
      return;
    }
    for (u32 k = 0; k < 4; k++) RL_ASSERT(queue.first_put(100, index) == Status::full);
    while (queue.put_past_token(100) != Status::ok) rl::yield(1, $);
    RL_ASSERT(token_holder(queue.token()) == 9 && (queue.token() & kRounds) == 0);
  }

  void after() {
    queue.core().give_up_token({9, true});
    queue.check_nobody_waits();
  }
};

// Room for a long message comes in two pieces, while its putter begins to wait.
struct LongRoom : rl::test_suite<LongRoom, 2> {
  ModelQueue<2, true> queue;

  void before() {
    queue.try_put(0);
    queue.try_put(1);
  }

  void thread(unsigned index) {
    if (index == 1) {
      RL_ASSERT(queue.put(2, 2) == Status::ok);
      return;
    }
    u32 number;
    RL_ASSERT(queue.try_get(number) == Status::ok);
    RL_ASSERT(queue.try_get(number) == Status::ok);
  }

  void after() { queue.check_nobody_waits(); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<LargeAndSmall<2, 2>, "large_and_small_2">(100'000),
      scenario<LargeAndSmall<3, 2>, "large_and_small_3">(100'000),
      scenario<LargeAndSmall<4, 3>, "large_and_small_4">(100'000),
      scenario<LargeAndSmallInWasm, "large_and_small_wasm">(30'000),
      scenario<TooShort, "too_short">(30'000),
      scenario<Tokens, "tokens">(100'000),
      scenario<FreeingMany, "freeing_many">(100'000),
      scenario<BusyLoop<false>, "busy_loop">(100'000),
      scenario<BusyLoop<true>, "busy_loop_in_handler">(100'000),
      scenario<RoomInHandler, "room_in_handler">(100'000),
      scenario<HeldBack, "held_back">(30'000),
      scenario<HeldBackByLoop, "held_back_by_loop">(30'000),
      scenario<BusyLoopAlone<2, 1>, "busy_loop_both">(100'000),
      scenario<BusyLoopAlone<2, 2>, "busy_loop_empty">(100'000),
      search<LongRoom, "small_long_room">(2),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
