#include "../core/lock.h"

#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("lock");

namespace {

class TestLock {
 public:
  TestLock() : memory_(sizeof(LockHeader)), header_(*static_cast<LockHeader*>(memory_.data())) {}
  LockHeader& header() { return header_; }
  Lock<ThreadWake> core() { return Lock<ThreadWake>(header_, ThreadWake{}); }

  Status acquire(u32 thread, Hold& hold, Deadline deadline = Deadline::never()) {
    auto waiting = parker(header_.waiters, deadline);
    return core().acquire(waiting, thread, now, hold);
  }

  static u32 now() {
    return static_cast<u32>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count());
  }

  bool is_at_rest() { return !core().is_held() && header_.reservation.load() == 0 && header_.waiters.state.load() == 0; }

 private:
  Memory memory_;
  LockHeader& header_;
};

}  // namespace

TEST_CASE("a lock is held by one thread at a time, and each acquisition has its own epoch") {
  TestLock lock;
  Hold first{}, second{};
  CHECK(lock.core().try_acquire(1, first) == Status::ok);
  CHECK(lock.core().owner() == 1);
  CHECK(lock.core().try_acquire(2, second) == Status::full);
  CHECK(lock.core().try_acquire(1, second) == Status::full);
  lock.core().release(1, first);
  CHECK(lock.core().try_acquire(2, second) == Status::ok);
  CHECK(second.epoch == first.epoch + 1);
  // These releases come too late, or from another owner.
  lock.core().release(1, first);
  lock.core().release(2, first);
  CHECK(lock.core().owner() == 2);
  lock.core().release(2, second);
  CHECK(lock.is_at_rest());
}

TEST_CASE("only the next holder is told that a lock was abandoned, or the one after it if that one did not use it") {
  TestLock lock;
  Hold hold{};
  REQUIRE(lock.core().try_acquire(1, hold) == Status::ok);
  lock.core().abandon(2);
  CHECK(lock.core().owner() == 1);
  lock.core().abandon(1);
  CHECK_FALSE(lock.core().is_held());
  REQUIRE(lock.core().try_acquire(2, hold) == Status::ok);
  CHECK(hold.abandoned);
  lock.core().release(2, hold);
  REQUIRE(lock.core().try_acquire(2, hold) == Status::ok);
  CHECK(hold.abandoned);
  lock.core().release(2, {hold.epoch, false});
  REQUIRE(lock.core().try_acquire(2, hold) == Status::ok);
  CHECK_FALSE(hold.abandoned);
}

TEST_CASE("a waiter reserves the lock after a while, and the oldest has precedence") {
  TestLock lock;
  Hold hold{};
  Courtesy courtesy;
  REQUIRE(lock.core().try_acquire(9, hold) == Status::ok);
  const Hold held = hold;
  CHECK(lock.core().attempt({1, 100}, 101, courtesy, hold) == Status::full);
  CHECK(lock.header().reservation.load() == 0);
  CHECK(lock.core().attempt({1, 100}, 102, courtesy, hold) == Status::full);
  CHECK(lock.header().reservation.load() == pack(100, 1));
  CHECK(lock.core().attempt({2, 101}, 110, courtesy, hold) == Status::full);
  CHECK(lock.header().reservation.load() == pack(100, 1));
  CHECK(lock.core().attempt({3, 99}, 110, courtesy, hold) == Status::full);
  CHECK(lock.header().reservation.load() == pack(99, 3));
  lock.core().release(9, held);
  // The lock is free, but only for the waiter that has reserved it.
  CHECK(lock.core().try_acquire(4, hold) == Status::busy);
  CHECK(lock.core().attempt({1, 100}, 110, courtesy, hold) == Status::busy);
  CHECK(lock.core().attempt({3, 99}, 110, courtesy, hold) == Status::ok);
  CHECK(lock.header().reservation.load() == 0);
  lock.core().release(3, hold);
  CHECK(lock.is_at_rest());
}

TEST_CASE("a reservation ends when nothing has happened for a while, which is longer the longer its holder has waited") {
  for (const u32 age : {4u, 100u, 100'000u}) {
    TestLock lock;
    Hold hold{};
    Courtesy courtesy;
    const u32 now = 0xffffffff - age / 2;  // the clock may wrap meanwhile
    REQUIRE(lock.core().try_acquire(9, hold) == Status::ok);
    const Hold held = hold;
    CHECK(lock.core().attempt({1, now - age}, now, courtesy, hold) == Status::full);
    lock.core().release(9, held);
    u32 waited = 0;
    while (lock.core().try_acquire(2, now + waited, courtesy, hold) == Status::busy) waited++;
    CHECK(waited >= std::min(age / 4, 500u));
    CHECK(waited <= std::min(age / 3 + 2, 500u));
    CHECK(lock.header().reservation.load() == 0);
    lock.core().release(2, hold);
  }
}

TEST_CASE("exclusion, and no wake is lost: threads that wait, try, and give up") {
  constexpr u32 kThreads = 5;
  const u32 rounds = scaled(20'000);
  const Watchdog watchdog("critical sections", std::chrono::seconds(120));
  TestLock lock;
  u64 counter = 0;  // only the lock keeps them apart
  std::atomic<u64> done{0};
  std::vector<std::function<void()>> bodies;
  for (u32 thread = 1; thread <= kThreads; thread++) {
    bodies.push_back([&, thread] {
      for (u32 round = 0; round < rounds; round++) {
        Hold hold{};
        if (thread == 1) {
          if (lock.acquire(thread, hold, Deadline::after(0.05)) != Status::ok) continue;
        } else if (thread == 2) {
          if (lock.core().try_acquire(thread, hold) != Status::ok) continue;
        } else {
          REQUIRE(lock.acquire(thread, hold) == Status::ok);
        }
        counter++;
        done.fetch_add(1, std::memory_order_relaxed);
        lock.core().release(thread, {hold.epoch, false});
      }
    });
  }
  run_together(bodies);
  CHECK(counter == done);
  CHECK(lock.is_at_rest());
}

TEST_CASE("nobody starves, while others keep the lock busy") {
  const Watchdog watchdog("the lock, among threads that hammer", std::chrono::seconds(60));
  TestLock lock;
  std::atomic<bool> stop{false};
  std::vector<std::function<void()>> bodies;
  for (u32 thread = 1; thread <= 3; thread++) {
    bodies.push_back([&, thread] {
      Hold hold{};
      while (!stop) {
        if (lock.core().try_acquire(thread, hold) == Status::ok) lock.core().release(thread, {hold.epoch, false});
      }
    });
  }
  std::atomic<u32> left{3};
  for (u32 thread = 4; thread <= 6; thread++) {
    bodies.push_back([&, thread] {
      Hold hold{};
      for (u32 k = 0; k < scaled(200); k++) {
        REQUIRE(lock.acquire(thread, hold) == Status::ok);
        lock.core().release(thread, {hold.epoch, false});
      }
      if (--left == 0) stop = true;
    });
  }
  run_together(bodies);
  CHECK(lock.is_at_rest());
}

TEST_SUITE_END();
