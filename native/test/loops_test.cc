// Waking event loops: which ones are rung, and for which lists.
#include <uv.h>

#include <set>

#include "../platform/doorbell.h"
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("loops");

namespace {

// Records the wakes. The loops in `idle` claim to be idle.
struct Recorder {
  std::set<u32> idle;
  std::vector<u32> rung;
  u32 unparked = 0;
  u32 asked = 0;

  void unpark(const WaitList&, u32) { unparked++; }
  void ring(u32 loop, const WaitList&) { rung.push_back(loop); }
  bool is_idle(u32 loop) {
    asked++;
    return idle.count(loop) > 0;
  }
};

using Numbers = std::vector<u32>;

// A real event loop in its own thread, with a doorbell.
class LoopThread {
 public:
  LoopThread() {
    std::atomic<bool> ready{false};
    thread_ = std::thread([&] { run(ready); });
    wait_until([&] { return ready.load(); });
  }
  ~LoopThread() {
    stop_ = true;
    ring_doorbell(doorbell_);
    thread_.join();
  }

  u32 doorbell() const { return doorbell_; }

  // Makes callbacks last until release().
  void hold() {
    held_ = true;
    ring_doorbell(doorbell_);
    wait_until([&] { return inside_.load(); });
  }
  void release() { held_ = false; }

  // Returns whether it was ever rung for that list.
  bool was_rung_for(const WaitList* list) const {
    const std::lock_guard lock(mutex_);
    return lists_.count(list) > 0;
  }
  bool was_told_everything() const {
    const std::lock_guard lock(mutex_);
    return everything_;
  }

 private:
  void run(std::atomic<bool>& ready) {
    uv_loop_t loop;
    REQUIRE(uv_loop_init(&loop) == 0);
    REQUIRE(uv_loop_configure(&loop, UV_METRICS_IDLE_TIME) == 0);
    doorbell_ = open_doorbell(&loop, true, [](void* self) { static_cast<LoopThread*>(self)->rung(); }, this);
    REQUIRE(doorbell_ != kNoDoorbell);
    keep_loop_alive(doorbell_, true);
    ready = true;
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
  }

  void rung() {
    {
      const std::lock_guard lock(mutex_);
      const Rung rung = take_rung(doorbell_);
      lists_.insert(rung.lists.begin(), rung.lists.begin() + rung.count);
      everything_ |= rung.everything;
    }
    inside_ = true;
    while (held_) std::this_thread::yield();
    inside_ = false;
    if (stop_) close_doorbell(doorbell_, [](void*) {}, nullptr);
  }

  u32 doorbell_ = kNoDoorbell;
  std::atomic<bool> held_{false};
  std::atomic<bool> inside_{false};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::set<const WaitList*> lists_;
  bool everything_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a change wakes one idle loop, the next change another") {
  WaitList list;
  Recorder waker;
  waker.idle = {70, 500};
  for (const u32 loop : Numbers{3, 70, 500}) announce_loop(list, loop);
  wake_one(list, waker);
  // The busy loop is rung on the way, and not asked again.
  CHECK(waker.rung == Numbers{3, 70});
  wake_one(list, waker);
  CHECK(waker.rung == Numbers{3, 70, 500});
  CHECK(waker.asked == 2);
  wake_one(list, waker);
  CHECK_FALSE(someone_waits(list));
  wake_one(list, waker);
  CHECK(waker.rung.size() == 3);
}

TEST_CASE("if no loop is idle, a change wakes all of them") {
  WaitList list;
  Recorder waker;
  for (const u32 loop : Numbers{0, 63, 64, kMaxLoops - 1}) announce_loop(list, loop);
  wake_one(list, waker);
  CHECK(waker.rung == Numbers{0, 63, 64, kMaxLoops - 1});
  CHECK_FALSE(someone_waits(list));
}

TEST_CASE("a blocked thread is woken before any loop, and alone") {
  WaitList list;
  Recorder waker;
  waker.idle = {1, 2};
  announce_loop(list, 1);
  announce_loop(list, 2);
  announce_thread(list);
  wake_one(list, waker);
  CHECK(waker.unparked == 1);
  CHECK(waker.rung.empty());
  wake_one(list, waker);
  CHECK(waker.unparked == 1);
  CHECK(waker.rung == Numbers{1});
}

TEST_CASE("waking all wakes threads and loops") {
  WaitList list;
  Recorder waker;
  announce_loop(list, 9);
  announce_thread(list);
  wake_all(list, waker);
  CHECK(waker.unparked == 1);
  CHECK(waker.rung == Numbers{9});
}

TEST_CASE("a loop that leaves looks on behalf of the others") {
  WaitList list;
  u32 looks = 0;
  announce_loop(list, 5);
  withdraw_loop(list, 5, [&] {
    looks++;
    CHECK(list.loops[0].load(memory_order_relaxed) == 0);
  });
  CHECK(looks == 1);
}

TEST_CASE("a loop is idle while it sleeps, and not while it runs a callback of its poll phase") {
  LoopThread loop;
  wait_until([&] { return is_loop_idle(loop.doorbell()); });
  loop.hold();
  for (u32 k = 0; k < 1000; k++) REQUIRE_FALSE(is_loop_idle(loop.doorbell()));
  loop.release();
  wait_until([&] { return is_loop_idle(loop.doorbell()); });
}

TEST_CASE("a doorbell that is not open does not count as idle, and ringing it does nothing") {
  WaitList list;
  u32 doorbell;
  {
    LoopThread loop;
    doorbell = loop.doorbell();
  }
  CHECK_FALSE(is_loop_idle(doorbell));
  ring_doorbell(doorbell, &list);
  // The next loop with that number does not learn of the ring.
  LoopThread next;
  REQUIRE(next.doorbell() == doorbell);
  WaitList other;
  ring_doorbell(doorbell, &other);
  wait_until([&] { return next.was_rung_for(&other); });
  CHECK_FALSE(next.was_rung_for(&list));
}

TEST_CASE("a ring names its lists, or all lists if there are too many") {
  WaitList lists[kRungLists + 1];
  {
    LoopThread loop;
    loop.hold();
    for (u32 round = 0; round < 2; round++) {
      for (u32 k = 0; k < kRungLists; k++) ring_doorbell(loop.doorbell(), &lists[k]);
    }
    loop.release();
    for (u32 k = 0; k < kRungLists; k++) wait_until([&] { return loop.was_rung_for(&lists[k]); });
    CHECK_FALSE(loop.was_told_everything());
  }
  LoopThread loop;
  loop.hold();
  for (const WaitList& list : lists) ring_doorbell(loop.doorbell(), &list);
  loop.release();
  wait_until([&] { return loop.was_told_everything(); });
}

TEST_CASE("no ring is lost, nor any of its lists, while a loop iterates all the time") {
  const u32 rounds = scaled(20'000);
  constexpr u32 kRingers = 3;
  const Watchdog watchdog("rings for lists", std::chrono::seconds(120));
  struct Lists {
    WaitList list;
    std::atomic<u32> asked{0};
    std::atomic<u32> heard{0};
  };
  static Lists all[kRingers];
  struct Hearing {
    u32 doorbell;
    std::atomic<bool> stop{false};
  } hearing;
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  hearing.doorbell = open_doorbell(
      &loop, false,
      [](void* data) {
        auto& hearing = *static_cast<Hearing*>(data);
        const Rung rung = take_rung(hearing.doorbell);
        for (Lists& one : all) {
          const bool named = rung.everything ||
                             std::find(rung.lists.begin(), rung.lists.begin() + rung.count, &one.list) != rung.lists.begin() + rung.count;
          if (named) one.heard = one.asked.load();
        }
        if (hearing.stop) close_doorbell(hearing.doorbell, [](void*) {}, nullptr);
      },
      &hearing);
  keep_loop_alive(hearing.doorbell, true);
  std::vector<std::thread> ringers;
  for (Lists& one : all) {
    ringers.emplace_back([&] {
      one.heard = one.asked = 0;
      for (u32 round = 1; round <= rounds; round++) {
        one.asked = round;
        ring_doorbell(hearing.doorbell, &one.list);
        wait_until([&] { return one.heard.load() == round; });
      }
    });
  }
  std::thread stopper([&] {
    for (std::thread& ringer : ringers) ringer.join();
    hearing.stop = true;
    ring_doorbell(hearing.doorbell);
  });
  uv_run(&loop, UV_RUN_DEFAULT);
  stopper.join();
  for (const Lists& one : all) CHECK(one.heard == rounds);
  CHECK(uv_loop_close(&loop) == 0);
}

TEST_SUITE_END();
