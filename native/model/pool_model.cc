// The pool lends a buffer to one owner at a time, "none is free" is exact, and no wake is lost. A
// map has two buffers here, so three buffers have two maps.
#include "core/pool.h"
#include "main.h"
#include "parking_model.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

inline constexpr u32 kMost = 3;

struct ModelWords {
  struct Memory {
    Atomic<u64> maps[pool_maps(kMost)];
    Atomic<u64> words[kMost];
  };

  Atomic<u64>& map(u32 number) const { return memory->maps[number]; }
  Atomic<u64>& word(u32 buffer) const { return memory->words[buffer]; }

  Memory* memory;
};

struct Nobody {
  void one(WaitList&) {}
};

// Leaves without another try, though it may just have been woken, as a thread that is stopped does.
class StoppedParker : public Parker {
 public:
  explicit StoppedParker(Parking& parking) : Parker(parking) {}

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    const Status status = Parker::sleep(may_sleep);
    return rl::rand(2) == 0 ? Status::interrupted : status;
  }
};

template <u32 count>
class ModelPool {
 public:
  ModelPool() { lay_out_pool(geometry_, ElementType::uint32, count, sizeof(u32)); }

  auto core() { return Pool(header_, geometry_, ModelWords{&memory_}, ThreadWake{&parking_}); }
  auto silent() { return Pool(header_, geometry_, ModelWords{&memory_}, Nobody{}); }

  u32 lend(u32 thread) {
    u32 lease;
    Parker parker(parking_);
    RL_ASSERT(core().lend(parker, thread, lease) == Status::ok);
    return lease;
  }
  bool lend_or_stop(u32 thread, u32& lease) {
    StoppedParker parker(parking_);
    return core().lend(parker, thread, lease) == Status::ok;
  }

  rl::var<u32>& data(u32 lease) { return data_[core().index_of(lease)]; }

  void use(u32 thread, u32 lease) {
    data(lease)($) = thread;
    RL_ASSERT(u32(data(lease)($)) == thread);
  }
  void lend_and_use(u32 thread) {
    const u32 lease = lend(thread);
    use(thread, lease);
    RL_ASSERT(core().release(thread, lease));
  }

  void check_at_rest() {
    RL_ASSERT(core().stats().free == count);
    u32 lease;
    for (u32 k = 0; k < count; k++) RL_ASSERT(core().try_lend(1, lease) == Status::ok);
    RL_ASSERT(core().try_lend(1, lease) == Status::empty);
    RL_ASSERT(header_.waiters.state.load(memory_order_seq_cst) == 0);
  }

 private:
  PoolHeader header_;
  PoolGeometry geometry_{};
  ModelWords::Memory memory_;
  Parking parking_;
  rl::var<u32> data_[kMost];
};

// Each buffer has one owner at a time, and every thread that waits gets one.
template <u32 count>
struct Lending : rl::test_suite<Lending<count>, 3> {
  ModelPool<count> pool;

  void thread(unsigned index) {
    for (u32 k = 0; k < 2; k++) pool.lend_and_use(index + 1);
  }
  void after() { pool.check_at_rest(); }
};

// A thread that takes a buffer sees what was written to it, and only one thread can take it.
struct Passing : rl::test_suite<Passing, 3> {
  ModelPool<1> pool;
  Atomic<u32> token;
  Atomic<u32> taken;

  void thread(unsigned index) {
    if (index == 0) {
      const u32 lease = pool.lend(1);
      pool.data(lease)($) = 7;
      u32 passed;
      RL_ASSERT(pool.core().pass(1, lease, passed));
      RL_ASSERT(!pool.core().release(1, lease) && !pool.core().pass(1, lease, passed));
      // An equal token would make the lease valid again if its own thread took the token.
      RL_ASSERT(passed != lease);
      token.store(passed + 1, memory_order_relaxed);
      return;
    }
    u32 found;
    while ((found = token.load(memory_order_relaxed)) == 0) rl::yield(1, $);
    // The token is passed without ordering, so the buffer's word may be seen later.
    while (!pool.core().take(index + 1, found - 1)) {
      if (taken.load(memory_order_relaxed) > 0) return;
      rl::yield(1, $);
    }
    taken.fetch_add(1, memory_order_relaxed);
    RL_ASSERT(u32(pool.data(found - 1)($)) == 7);
    RL_ASSERT(pool.core().release(index + 1, found - 1));
  }
  void after() {
    RL_ASSERT(taken.load(memory_order_relaxed) == 1);
    pool.check_at_rest();
  }
};

// A name is good for one lease, or one passing, though the same thread has the same buffer again.
struct Names : rl::test_suite<Names, 2> {
  ModelPool<1> pool;

  void thread(unsigned index) {
    if (index > 0) return pool.lend_and_use(index + 1);
    const u32 old = pool.lend(1);
    RL_ASSERT(pool.core().release(1, old));
    const u32 lease = pool.lend(1);
    u32 token;
    RL_ASSERT(pool.core().has(1, lease) && !pool.core().has(1, old));
    RL_ASSERT(!pool.core().release(1, old) && !pool.core().pass(1, old, token));
    RL_ASSERT(pool.core().pass(1, lease, token));
    RL_ASSERT(pool.core().take(1, token));
    u32 next;
    RL_ASSERT(pool.core().pass(1, token, next));
    RL_ASSERT(!pool.core().take(1, token));
    RL_ASSERT(pool.core().take(1, next));
    pool.use(1, next);
    RL_ASSERT(pool.core().release(1, next));
  }
  void after() { pool.check_at_rest(); }
};

// Each of two maps has a free buffer.
template <class Suite>
struct TwoMaps : rl::test_suite<Suite, 2> {
  ModelPool<3> pool;

  void before() {
    u32 lease;
    RL_ASSERT(pool.core().try_lend(6, lease) == Status::ok && pool.core().index_of(lease) == 0);
  }
};

// Thread 0 has at most one of two buffers at a time, so there is always one for thread 1.
struct Exact : TwoMaps<Exact> {
  void thread(unsigned index) {
    u32 lease;
    if (index == 1) {
      for (u32 k = 0; k < 3; k++) {
        RL_ASSERT(pool.core().try_lend(2, lease) == Status::ok);
        RL_ASSERT(pool.core().release(2, lease));
      }
      return;
    }
    for (u32 k = 0; k < 10; k++) {
      // The thread's number decides at which buffer its search begins.
      const u32 thread = 4 + k % 2;
      RL_ASSERT(pool.core().try_lend(thread, lease) == Status::ok);
      RL_ASSERT(pool.core().release(thread, lease));
    }
  }
};

// One thread is stopped, perhaps just after it was woken.
struct Stopping : rl::test_suite<Stopping, 3> {
  ModelPool<1> pool;

  void thread(unsigned index) {
    if (index > 0) return pool.lend_and_use(index + 1);
    u32 lease;
    if (!pool.lend_or_stop(1, lease)) return;
    pool.use(1, lease);
    RL_ASSERT(pool.core().release(1, lease));
  }
  void after() { pool.check_at_rest(); }
};

// One thread dies with a lease, after it has passed a buffer on, or between a return and its wake.
struct Dying : rl::test_suite<Dying, 3> {
  ModelPool<1> pool;
  Atomic<u32> token;

  void thread(unsigned index) {
    if (index > 0) return pool.lend_and_use(index + 1);
    const u32 lease = pool.lend(1);
    pool.use(1, lease);
    const unsigned how = rl::rand(3);
    u32 passed;
    if (how == 1) RL_ASSERT(pool.silent().release(1, lease));
    if (how == 2) RL_ASSERT(pool.core().pass(1, lease, passed));
    pool.core().abandon(1);
    // A token that was passed on must stay valid.
    if (how != 2) return;
    RL_ASSERT(pool.core().take(4, passed));
    RL_ASSERT(pool.core().release(4, passed));
  }
  void after() { pool.check_at_rest(); }
};

// Two threads want the only buffer, once each.
struct TwoOnce : rl::test_suite<TwoOnce, 2> {
  ModelPool<1> pool;

  void thread(unsigned index) { pool.lend_and_use(index + 1); }
  void after() { pool.check_at_rest(); }
};

// One thread has first one buffer, then the other, so there is always one for the other thread.
struct ExactOnce : TwoMaps<ExactOnce> {
  void thread(unsigned index) {
    u32 lease;
    for (u32 k = 0; k < (index == 0 ? 2 : 1); k++) {
      const u32 thread = index == 0 ? 4 + k : 3;
      RL_ASSERT(pool.core().try_lend(thread, lease) == Status::ok);
      RL_ASSERT(pool.core().release(thread, lease));
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<Lending<1>, "one">(20'000),    scenario<Lending<2>, "two">(20'000), scenario<Lending<3>, "three">(20'000),
      scenario<Passing, "passing">(10'000),   scenario<Names, "names">(20'000),    scenario<Exact, "exact">(30'000),
      scenario<Stopping, "stopping">(20'000), scenario<Dying, "dying">(20'000),    search<TwoOnce, "small_two">(5),
      search<ExactOnce, "small_exact">(5),    search<Passing, "small_passing">(2),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
