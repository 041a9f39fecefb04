#include <limits>

#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("parking");

namespace {

const auto kAlways = [] { return true; };
const auto kFar = std::chrono::hours(1);

// Threads that sleep at a list, in a known order.
class Sleepers {
 public:
  explicit Sleepers(const WaitList& list, u32 count) : woken(count) {
    for (u32 k = 0; k < count; k++) {
      std::atomic<bool> asks{false};
      threads_.emplace_back([this, &list, &asks, k] {
        Sleeper sleeper(list);
        sleeper.sleep_until(Clock::now() + kFar, [&, first = true]() mutable {
          // This is asked when the sleeper is in the list, under its lock. So a later unpark finds
          // it and wakes it.
          if (first) asks = true;
          first = false;
          return true;
        });
        woken[k] = true;
      });
      wait_until([&] { return asks.load(); });
    }
  }
  ~Sleepers() {
    for (std::thread& thread : threads_) thread.join();
  }

  std::vector<std::atomic<bool>> woken;

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("a sleeper wakes at its deadline, and then does not count as woken") {
  Lists lists;
  Sleeper sleeper(lists.first);
  const auto before = Clock::now();
  CHECK_FALSE(sleeper.sleep_until(before + std::chrono::milliseconds(5), kAlways));
  CHECK(Clock::now() >= before + std::chrono::milliseconds(5));
}

TEST_CASE("a sleeper does not sleep if something has happened before") {
  Lists lists;
  Sleeper sleeper(lists.first);
  CHECK(sleeper.sleep_until(Clock::now() + kFar, [] { return false; }));
}

TEST_CASE("an unpark between two sleeps is not lost, and counts once") {
  Lists lists;
  Sleeper sleeper(lists.first);
  sleeper.sleep_until(Clock::now(), kAlways);
  unpark(lists.first, 1);
  unpark(lists.first, 1);
  CHECK(sleeper.sleep_until(Clock::now() + kFar, kAlways));
  CHECK_FALSE(sleeper.sleep_until(Clock::now(), kAlways));
}

TEST_CASE("unpark wakes that many sleepers, in order, and none at other lists") {
  const Watchdog watchdog("unpark");
  Lists lists;
  Sleepers here(lists.first, 3);
  Sleepers there(lists.second, 1);
  unpark(lists.first, 2);
  wait_until([&] { return here.woken[0] && here.woken[1]; });
  CHECK_FALSE(here.woken[2]);
  CHECK_FALSE(there.woken[0]);
  unpark(lists.first, kEverybody);
  unpark(lists.second, kEverybody);
}

TEST_CASE("a sleeper that has left is not unparked in place of another") {
  const Watchdog watchdog("unpark after leaving");
  Lists lists;
  Sleeper first(lists.first);
  first.sleep_until(Clock::now(), kAlways);
  Sleepers second(lists.first, 1);
  first.leave();
  unpark(lists.first, 1);
  wait_until([&] { return second.woken[0].load(); });
}

TEST_CASE("a sleeper at several lists is woken by each of them, and leaves them all") {
  const Watchdog watchdog("several lists");
  Lists lists;
  for (const WaitList* const waking : {&lists.first, &lists.second}) {
    std::vector<Place> places{Place(lists.first), Place(lists.second)};
    Sleeper sleeper(places);
    std::atomic<bool> asks{false};
    run_together({[&] {
                    CHECK(sleeper.sleep_until(Clock::now() + kFar, [&] {
                      asks = true;
                      return true;
                    }));
                  },
                  [&] {
                    wait_until([&] { return asks.load(); });
                    unpark(*waking, 1);
                  }});
    // The two unparks count as one wake.
    unpark(lists.first, 1);
    unpark(lists.second, 1);
    CHECK(sleeper.sleep_until(Clock::now() + kFar, kAlways));
    CHECK_FALSE(sleeper.sleep_until(Clock::now(), kAlways));
    Sleepers others(lists.first, 1);
    Sleepers more(lists.second, 1);
    sleeper.leave();
    unpark(lists.first, 1);
    unpark(lists.second, 1);
    wait_until([&] { return others.woken[0] && more.woken[0]; });
  }
}

TEST_CASE("a parker stops when its thread is being stopped, even while it is woken again and again") {
  const Watchdog watchdog("interrupted");
  Lists lists;
  std::atomic<bool> stopping{false};
  std::atomic<bool> stopped{false};
  run_together({[&] {
                  StopCheck stops([&] { return stopping.load(); });
                  ThreadParker waiting(lists.first, Deadline::never(), stops);
                  while (waiting.sleep(kAlways) != Status::interrupted) {
                  }
                  stopped = true;
                },
                [&] {
                  stopping = true;
                  while (!stopped) unpark(lists.first, 1);
                }});
  CHECK(stopped);
}

TEST_CASE("a deadline that is too far away never passes, and one in the past has passed") {
  const auto now = [] { return Clock::now(); };
  CHECK_FALSE(Deadline::never().passed_at(now()));
  CHECK_FALSE(Deadline::after(std::numeric_limits<double>::infinity()).passed_at(now()));
  CHECK_FALSE(Deadline::after(std::numeric_limits<double>::quiet_NaN()).passed_at(now()));
  CHECK_FALSE(Deadline::after(1e300).passed_at(now()));
  CHECK_FALSE(Deadline::after(60'000).passed_at(now()));
  CHECK(Deadline::after(0).passed_at(now()));
  CHECK(Deadline::after(-1).passed_at(now()));
}

TEST_SUITE_END();
