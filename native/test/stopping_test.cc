// A blocked thread learns that it is being stopped by asking. These tests cover when it asks. A
// pipe stands in for its event loop, and has something to read as soon as somebody wakes the loop.
#include <unistd.h>

#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

using std::chrono::hours;
using std::chrono::milliseconds;
using Sight = LoopWatch::Sight;

TEST_SUITE_BEGIN("stopping");

namespace {

class Loop {
 public:
  Loop() { REQUIRE(pipe(ends_) == 0); }
  ~Loop() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int descriptor() const { return ends_[0]; }
  void wake() const { REQUIRE(write(ends_[1], "", 1) == 1); }

 private:
  int ends_[2];
};

// A blocked thread that, after its first question, asks only if something happens at its loop. It
// ends when told to stop.
class Blocked {
 public:
  explicit Blocked(const Loop& loop) {
    thread_ = std::thread([this, &loop] {
      const StopIntervals intervals{.loop = loop.descriptor(), .shortest = hours(1), .longest = hours(1)};
      StopCheck stops(
          [this] {
            questions++;
            return stop.load();
          },
          intervals);
      ThreadParker parker(list_, Deadline::never(), stops);
      while (parker.sleep([] { return true; }) == Status::ok) {
      }
      parker.leave();
      ended = true;
    });
  }
  ~Blocked() { thread_.join(); }

  void wait_for_questions(u32 count) const {
    wait_until([&] { return questions.load() >= count; });
  }

  std::atomic<u32> questions{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> ended{false};

 private:
  Memory memory_{sizeof(WaitList)};
  WaitList& list_ = *static_cast<WaitList*>(memory_.data());
  std::thread thread_;
};

// Returns the times at which it asks, within that many milliseconds.
std::vector<int> questions_within(int end, const StopIntervals& intervals, Sight sight) {
  std::vector<int> asked;
  const Clock::time_point start{hours(1)};
  StopCheck stops([] { return false; }, intervals);
  stops.is_due(start, sight);
  for (int time = 0; time <= end; time++) {
    const Clock::time_point now = start + milliseconds(time);
    if (!stops.is_due(now, sight)) continue;
    stops.ask(now);
    asked.push_back(time);
  }
  return asked;
}

}  // namespace

TEST_CASE("a blocked thread asks when something happens at its loop, each time") {
  const Watchdog watchdog("a watched loop");
  Loop loop;
  Blocked blocked(loop);
  blocked.wait_for_questions(1);
  for (u32 k = 2; k < 6; k++) {
    loop.wake();
    blocked.wait_for_questions(k);
  }
  blocked.stop = true;
  loop.wake();
}

TEST_CASE("it asks at once if something is pending at its loop when it begins to watch") {
  const Watchdog watchdog("a loop that was woken before");
  Loop loop;
  loop.wake();
  Blocked blocked(loop);
  blocked.wait_for_questions(2);
  blocked.stop = true;
  loop.wake();
}

TEST_CASE("each of several threads asks only for its own loop") {
  const Watchdog watchdog("several watched loops");
  constexpr u32 kThreads = 8;
  Loop loops[kThreads];
  std::vector<std::unique_ptr<Blocked>> all;
  for (const Loop& loop : loops) all.push_back(std::make_unique<Blocked>(loop));
  for (const auto& blocked : all) blocked->wait_for_questions(1);
  for (u32 k = kThreads; k-- > 0;) {
    all[k]->stop = true;
    loops[k].wake();
    wait_until([&] { return all[k]->ended.load(); });
    for (u32 other = 0; other < k; other++) CHECK(all[other]->questions == 1);
  }
}

TEST_CASE("a loop at which too much happens is no longer watched") {
  const Watchdog watchdog("a loop with data");
  Loop loop;
  Lists lists;
  Sleeper sleeper(lists.first);
  LoopWatch watch(sleeper);
  CHECK(watch.sight() == Sight::none);
  watch.begin(kNoLoop);
  CHECK(watch.sight() == Sight::none);
  watch.begin(loop.descriptor());
  CHECK(watch.sight() == Sight::all);
  loop.wake();
  wait_until([&] { return watch.take_news(); });
  CHECK_FALSE(watch.take_news());
  CHECK(watch.sight() == Sight::some);
  // One wake for each event. Without the wait the pipe may fill up before the helper thread runs.
  while (watch.sight() == Sight::some) {
    loop.wake();
    wait_until([&] { return watch.take_news(); });
  }
  CHECK(watch.sight() == Sight::none);
  watch.end();
  LoopWatch next(sleeper);
  next.begin(loop.descriptor());
  wait_until([&] { return next.sight() == Sight::some; });
}

TEST_CASE("nothing is watched that can't be, and no loop is watched twice") {
  Loop loop;
  Lists lists;
  Sleeper sleeper(lists.first);
  LoopWatch first(sleeper);
  first.begin(loop.descriptor());
  {
    LoopWatch second(sleeper);
    second.begin(loop.descriptor());
    CHECK(second.sight() == Sight::none);
  }
  CHECK(first.sight() == Sight::all);
  loop.wake();
  wait_until([&] { return first.take_news(); });
}

TEST_CASE("a watch may end at any moment while things happen") {
  const Watchdog watchdog("watches that end");
  const u32 rounds = scaled(20'000);
  Loop loop;
  Lists lists;
  std::atomic<bool> over{false};
  run_together({[&] {
                  for (u32 round = 0; round < rounds; round++) {
                    Sleeper sleeper(lists.first);
                    LoopWatch watch(sleeper);
                    watch.begin(loop.descriptor());
                    if (round % 2 == 0) wait_until([&] { return watch.take_news(); });
                  }
                  over = true;
                },
                [&] {
                  char byte;
                  while (!over) {
                    loop.wake();
                    REQUIRE(read(loop.descriptor(), &byte, 1) == 1);
                  }
                }});
}

TEST_CASE("a thread that sees its loop asks less and less often") {
  const std::vector<int> all = questions_within(10'000, {.loop = 3}, Sight::all);
  CHECK(all.size() <= 10);
  CHECK(std::vector<int>(all.begin(), all.begin() + 3) == std::vector<int>{5, 55, 165});
  CHECK(questions_within(8'000, {.loop = 3}, Sight::some).size() <= 14);
}

TEST_CASE("a thread that does not see its loop asks every 50 ms, as nothing else tells it") {
  CHECK(questions_within(500, {}, Sight::none) == std::vector<int>{50, 100, 150, 200, 250, 300, 350, 400, 450, 500});
  CHECK(questions_within(155, {.loop = 3}, Sight::none) == std::vector<int>{5, 55, 105, 155});
}

TEST_CASE("the main thread, which nobody stops, asks soon after a second and seldom after a minute") {
  const std::vector<int> asked = questions_within(60'000, {.blind = 0.125}, Sight::none);
  CHECK(std::any_of(asked.begin(), asked.end(), [](int time) { return time > 1000 && time <= 1200; }));
  CHECK(asked.end()[-1] - asked.end()[-2] == 2000);
}

TEST_SUITE_END();
