// The lock has one holder at a time, no wake is lost, and no reservation keeps anybody asleep.
#include "core/lock.h"
#include "main.h"
#include "parking_model.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

// Time jumps: between two looks either none has passed, or enough for a waiter to reserve the lock,
// or enough for a reservation to end.
u32 some_time() {
  static constexpr u32 kSteps[] = {0, 0, 2, 2000};
  return kSteps[rl::rand(4)];
}

// Leaves without another try, though it may just have been woken, as a thread that is stopped does.
class StoppedParker : public Parker {
 public:
  explicit StoppedParker(Parking& parking) : Parker(parking) {}

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep, bool briefly) {
    const Status status = Parker::sleep(may_sleep, briefly);
    return rl::rand(2) == 0 ? Status::interrupted : status;
  }
};

// The lock as threads use it. Threads are numbered from 1.
class ModelLock {
 public:
  // Makes all waiters so old when they first try that no reservation ever ends. So a missing wake
  // is a livelock.
  void make_all_old() { age_ = 100'000; }
  // Keeps all waiters so young that none reserves the lock.
  void stop_time() { stands_ = true; }

  auto core() { return Lock(header_, ThreadWake{&parking_, &loops_}); }

  Status acquire(u32 thread, Hold& hold, bool has_deadline = false) {
    Parker parker(parking_, has_deadline);
    return acquire_by(parker, thread, hold);
  }
  Status acquire_or_stop(u32 thread, Hold& hold) {
    StoppedParker parker(parking_);
    return acquire_by(parker, thread, hold);
  }

  enum class End { granted, given_up, died };

  // Does what a loop does until it has the lock, gives up, or its thread dies. ServedLine in
  // lib/wait/line.ts does the same.
  bool await(u32 thread, Hold& hold, End end = End::granted) {
    const u32 loop = Loops::kNumbers[thread - 1];
    u32 now = thread;
    const LockWaiter waiter{thread, now};
    const bool gives_up = end != End::granted;
    now += age_;
    for (;;) {
      Status status = core().attempt(waiter, now += step(), courtesy_[thread], hold);
      bool brief = status == Status::busy || now - waiter.since < 3;
      if (status != Status::ok) {
        announce_loop(header_.waiters, loop);
        if (core().should_attempt(waiter, now += step())) {
          brief = now - waiter.since < 3;
          status = core().attempt(waiter, now, courtesy_[thread], hold);
          brief |= status == Status::busy;
        }
      }
      if (status == Status::ok) break;
      const bool rung = loops_.wait(loop, brief || gives_up);
      if (!rung && gives_up) {
        if (end == End::given_up) core().withdraw(loop, thread);
        return false;
      }
      // After the short wait it is old enough.
      if (!rung && age_ == 0) now += 3;
    }
    core().withdraw(loop, thread);
    return true;
  }

  // Does what the addon does at the end of an isolate.
  void end(u32 thread) {
    take_loop(header_.waiters, Loops::kNumbers[thread - 1]);
    core().abandon(thread);
  }

  void start() { counter_($) = 0; }
  // A critical section, in which Relacy finds races.
  void count() { counter_($) = u32(counter_($)) + 1; }
  u32 counted() { return counter_($); }

  void use(u32 thread) {
    Hold hold;
    RL_ASSERT(acquire(thread, hold) == Status::ok);
    count();
    core().release(thread, hold_of(hold));
  }

  static Hold hold_of(Hold hold) { return {hold.epoch, false}; }

  LockHeader& header() { return header_; }
  Loops& loops() { return loops_; }

  void check_at_rest() {
    RL_ASSERT(!core().is_held());
    RL_ASSERT(header_.reservation.load(memory_order_seq_cst) == 0);
    RL_ASSERT((header_.waiters.state.load(memory_order_seq_cst) & ~kLoops) == 0);
  }

 private:
  template <class AnyParker>
  Status acquire_by(AnyParker& parker, u32 thread, Hold& hold) {
    u32 now = thread;
    u32 looks = 0;
    // The first look is the one with which it begins to wait.
    const auto time = [&] { return now += looks++ == 1 && age_ > 0 ? age_ : step(); };
    return core().acquire(parker, thread, time, hold);
  }

  u32 step() { return age_ > 0 || stands_ ? 0 : some_time(); }

  u32 age_ = 0;
  bool stands_ = false;
  LockHeader header_;
  Parking parking_;
  Loops loops_;
  Courtesy courtesy_[4];
  rl::var<u32> counter_;
};

template <class Suite, int threads>
struct LockSuite : rl::test_suite<Suite, threads> {
  ModelLock lock;

  void before() { lock.start(); }
};

// Three threads acquire the lock twice each.
struct Threads : LockSuite<Threads, 3> {
  void thread(unsigned index) {
    for (u32 k = 0; k < 2; k++) lock.use(index + 1);
  }
  void after() {
    RL_ASSERT(lock.counted() == 6);
    lock.check_at_rest();
  }
};

// Three threads have waited for long, so the lock is nearly always reserved.
struct Reserving : LockSuite<Reserving, 3> {
  void before() {
    lock.start();
    lock.make_all_old();
  }
  void thread(unsigned index) { lock.use(index + 1); }
  void after() {
    RL_ASSERT(lock.counted() == 3);
    lock.check_at_rest();
  }
};

// The same with loops.
struct ReservingLoops : LockSuite<ReservingLoops, 4> {
  void before() {
    lock.start();
    lock.make_all_old();
  }
  void thread(unsigned index) {
    const u32 number = index + 1;
    if (index >= 2) {
      for (u32 k = 0; k < 2; k++) lock.use(number);
      return;
    }
    Hold hold;
    RL_ASSERT(lock.await(number, hold));
    lock.count();
    lock.core().release(number, ModelLock::hold_of(hold));
  }
  void after() {
    RL_ASSERT(lock.counted() == 6);
    lock.check_at_rest();
  }
};

// Threads use calls that do not wait.
struct Trying : LockSuite<Trying, 3> {
  void thread(unsigned index) {
    Hold hold;
    while (lock.core().try_acquire(index + 1, hold) != Status::ok) rl::yield(1, $);
    lock.count();
    lock.core().release(index + 1, ModelLock::hold_of(hold));
  }
  void after() {
    RL_ASSERT(lock.counted() == 3);
    lock.check_at_rest();
  }
};

// One thread gives up at any moment, perhaps with a reservation.
struct GivingUp : LockSuite<GivingUp, 4> {
  void thread(unsigned index) {
    if (index > 0) return lock.use(index + 1);
    Hold hold;
    if (lock.acquire(1, hold, true) != Status::ok) return;
    lock.count();
    lock.core().release(1, ModelLock::hold_of(hold));
  }
  void after() { lock.check_at_rest(); }
};

// One thread is stopped, perhaps just after it was woken.
struct Stopping : LockSuite<Stopping, 3> {
  void before() {
    lock.start();
    lock.stop_time();
  }
  void thread(unsigned index) {
    if (index > 0) return lock.use(index + 1);
    Hold hold;
    if (lock.acquire_or_stop(1, hold) != Status::ok) return;
    lock.count();
    lock.core().release(1, ModelLock::hold_of(hold));
  }
  void after() { lock.check_at_rest(); }
};

// Two loops and two threads wait. A loop need not have been woken before it may reserve.
struct LoopsAndThreads : LockSuite<LoopsAndThreads, 4> {
  void thread(unsigned index) {
    const u32 number = index + 1;
    if (index >= 2) {
      for (u32 k = 0; k < 2; k++) lock.use(number);
      return;
    }
    Hold hold;
    RL_ASSERT(lock.await(number, hold));
    lock.count();
    lock.core().release(number, ModelLock::hold_of(hold));
  }
  void after() {
    RL_ASSERT(lock.counted() == 6);
    lock.check_at_rest();
  }
};

// A loop gives up while others wait.
struct LoopGivingUp : LockSuite<LoopGivingUp, 3> {
  void thread(unsigned index) {
    const u32 number = index + 1;
    if (index > 1) return lock.use(number);
    Hold hold;
    if (!lock.await(number, hold, index == 0 ? ModelLock::End::given_up : ModelLock::End::granted)) return;
    lock.count();
    lock.core().release(number, ModelLock::hold_of(hold));
  }
  void after() { lock.check_at_rest(); }
};

// A thread dies while it holds the lock, while it waits as a loop (perhaps with a reservation), or
// between its release and the wake. If it held the lock, exactly one of the others learns of that,
// unless none has used the lock since.
struct Dying : LockSuite<Dying, 3> {
  u32 held;
  Atomic<u32> told;

  void thread(unsigned index) {
    const u32 number = index + 1;
    Hold hold;
    if (index == 0) {
      held = rl::rand(2) == 0 ? lock.await(1, hold, ModelLock::End::died) : lock.acquire(1, hold) == Status::ok;
      if (held) lock.count();
      lock.end(1);
      return;
    }
    for (u32 k = 0; k < 2; k++) {
      RL_ASSERT(lock.acquire(number, hold) == Status::ok);
      lock.count();
      // An acquisition that is not used leaves it to the next holder to be told.
      if (rl::rand(4) != 0) {
        if (hold.abandoned) told.fetch_add(1, memory_order_relaxed);
        hold = ModelLock::hold_of(hold);
      }
      lock.core().release(number, hold);
    }
  }
  void after() {
    const bool marked = lock.header().word.load(memory_order_seq_cst) & kAbandoned;
    RL_ASSERT(told.load(memory_order_relaxed) + marked == held);
    lock.check_at_rest();
  }
};

// Thread 0 dies after a release that woke nobody.
struct DyingAfterRelease : LockSuite<DyingAfterRelease, 2> {
  void thread(unsigned index) {
    if (index > 0) return lock.use(index + 1);
    Hold hold;
    RL_ASSERT(lock.acquire(1, hold) == Status::ok);
    lock.count();
    Lock(lock.header(), Nobody{}).release(1, ModelLock::hold_of(hold));
    lock.end(1);
  }
  void after() { lock.check_at_rest(); }

  struct Nobody {
    void one(WaitList&) {}
    void all(WaitList&) {}
  };
};

// A loop reserves the lock and does not run again, so others go ahead.
struct LateLoop : LockSuite<LateLoop, 3> {
  Atomic<u32> used;

  void thread(unsigned index) {
    if (index > 0) {
      lock.use(index + 1);
      used.fetch_add(1, memory_order_seq_cst);
      return;
    }
    Courtesy courtesy;
    Hold hold;
    const Status status = lock.core().attempt({1, 0}, 2, courtesy, hold);
    if (status == Status::ok) {
      lock.count();
      return lock.core().release(1, ModelLock::hold_of(hold));
    }
    while (used.load(memory_order_seq_cst) < 2) rl::yield(1, $);
    lock.core().withdraw(0, 1);
  }
  void after() { lock.check_at_rest(); }
};

// Releasing twice does not release the next holder's lock.
struct ReleasedTwice : LockSuite<ReleasedTwice, 2> {
  void thread(unsigned index) {
    Hold hold;
    RL_ASSERT(lock.acquire(index + 1, hold) == Status::ok);
    lock.count();
    lock.core().release(index + 1, ModelLock::hold_of(hold));
    Hold next;
    RL_ASSERT(lock.acquire(index + 1, next) == Status::ok);
    lock.core().release(index + 1, ModelLock::hold_of(hold));
    lock.count();
    lock.core().release(index + 1, ModelLock::hold_of(next));
  }
  void after() {
    RL_ASSERT(lock.counted() == 4);
    lock.check_at_rest();
  }
};

// Two threads acquire the lock once each. Neither reserves it, or both do.
template <bool old>
struct TwoOnce : LockSuite<TwoOnce<old>, 2> {
  void before() {
    this->lock.start();
    old ? this->lock.make_all_old() : this->lock.stop_time();
  }
  void thread(unsigned index) { this->lock.use(index + 1); }
  void after() {
    RL_ASSERT(this->lock.counted() == 2);
    this->lock.check_at_rest();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<Threads, "threads">(30'000),
      scenario<Reserving, "reserving">(30'000),
      scenario<ReservingLoops, "reserving_loops">(30'000),
      scenario<Trying, "trying">(10'000),
      scenario<GivingUp, "giving_up">(30'000),
      scenario<Stopping, "stopping">(30'000),
      scenario<LoopsAndThreads, "loops_and_threads">(30'000),
      scenario<LoopGivingUp, "loop_giving_up">(30'000),
      scenario<Dying, "dying">(30'000),
      scenario<DyingAfterRelease, "dying_after_release">(10'000),
      scenario<LateLoop, "late_loop">(30'000),
      scenario<ReleasedTwice, "released_twice">(10'000),
      search<TwoOnce<false>, "small_two">(5),
      search<TwoOnce<true>, "small_two_reserving">(4),
      search<Reserving, "small_three_reserving">(1),
      search<Trying, "small_trying">(3),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
