// Runs an object's calls while its memory is overwritten, either between the calls of one thread,
// or by a third thread while two others make calls. The sanitizers see accesses outside the memory,
// whose allocation has exactly the object's size. libFuzzer's -timeout finds calls that never end.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "../core/queue.h"
#include "../platform/parking.h"
#include "input.h"

namespace threadsafe::fuzz {

// Zeroed memory, aligned like shared memory. It ends where the staging areas would begin, as the
// core never touches those.
class ObjectMemory {
 public:
  explicit ObjectMemory(u64 bytes) : bytes_(static_cast<std::size_t>(bytes)), data_(::operator new(bytes_, std::align_val_t(kLine))) {
    std::memset(data_, 0, bytes_);
  }
  ~ObjectMemory() { ::operator delete(data_, std::align_val_t(kLine)); }
  ObjectMemory(const ObjectMemory&) = delete;
  ObjectMemory& operator=(const ObjectMemory&) = delete;

  template <class Header>
  Header& header() const {
    return *static_cast<Header*>(data_);
  }

  // Overwrites memory as JavaScript can: stores 32 or 64 bits, or flips one bit.
  void scribble(Input& input) const {
    constexpr u32 kHeaders = 1280;  // the queue's, the longest; most of what decides anything is in a header
    const u32 words = static_cast<u32>(bytes_ / sizeof(u32));
    const u32 in_header = words < kHeaders / sizeof(u32) ? words : static_cast<u32>(kHeaders / sizeof(u32));
    const u32 how = input.byte();
    const u32 word = how & 1 ? input.below(in_header) : input.below(words);
    auto* const at = static_cast<u32*>(data_) + word;
    const u64 value = input.value();
    if (how & 2) {
      __atomic_fetch_xor(at, u32{1} << value % 32, __ATOMIC_RELAXED);
    } else if (how & 4 && word % 2 == 0 && word + 1 < words) {
      __atomic_store_n(reinterpret_cast<u64*>(at), value, __ATOMIC_RELAXED);
    } else {
      __atomic_store_n(at, static_cast<u32>(value), __ATOMIC_RELAXED);
    }
  }

 private:
  const std::size_t bytes_;
  void* const data_;
};

// Wakes real threads. A loop's number is only checked, as there is no loop.
struct FuzzWake {
  void unpark(const WaitList& list, u32 most) { threadsafe::unpark(list, most); }
  void ring(u32 loop, const WaitList&) { require(loop < kMaxLoops, "a loop that is rung has a doorbell's number"); }
  bool is_idle(u32 loop) {
    require(loop < kMaxLoops, "a loop that is asked has a doorbell's number");
    return loop % 2 == 0;
  }
  void one(WaitList& list) { wake_one(list, *this); }
  void all(WaitList& list) { wake_all(list, *this); }
};

// Makes the parker of a call that blocks for up to that many microseconds.
inline auto brief_parker(const WaitList& list, u32 microseconds) {
  thread_local StopCheck unstopped([] { return false; });
  return ThreadParker(list, Deadline::after(microseconds / 1000.0), unstopped);
}

// Makes a patience of a few tries.
inline auto brief_patience() {
  return [tries = 0]() mutable { return ++tries < 4; };
}

// Threads that live as long as the process, since each run needs some.
class Crew {
 public:
  static constexpr u32 kThreads = 3;

  static Crew& instance() {
    static Crew* const crew = new Crew;  // never destroyed: its threads wait as the process exits
    return *crew;
  }

  // Runs body(k) in each thread, at the same time, and waits for all.
  void run(const std::function<void(u32)>& body) {
    std::unique_lock<std::mutex> lock(mutex_);
    body_ = &body;
    left_ = kThreads;
    round_++;
    begin_.notify_all();
    done_.wait(lock, [&] { return left_ == 0; });
  }

 private:
  Crew() {
    for (u32 k = 0; k < kThreads; k++) std::thread([this, k] { work(k); }).detach();
  }

  void work(u32 k) {
    std::unique_lock<std::mutex> lock(mutex_);
    for (u32 round = 0;;) {
      begin_.wait(lock, [&] { return round_ != round; });
      round = round_;
      lock.unlock();
      (*body_)(k);
      lock.lock();
      if (--left_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable begin_;
  std::condition_variable done_;
  const std::function<void(u32)>* body_ = nullptr;
  u32 round_ = 0;
  u32 left_ = 0;
};

// Makes one run. A Target has memory(), and call(input, thread), which makes one call as that
// thread.
template <class Target>
void run(Target& target, Input& input) {
  constexpr u32 kMostSteps = 64;
  constexpr u32 kScribbleBelow = 64;  // a quarter of the steps
  if (input.byte() % 4 != 0) {
    for (u32 step = 0; step < kMostSteps && !input.is_over(); step++) {
      if (input.byte() < kScribbleBelow) {
        target.memory().scribble(input);
      } else {
        target.call(input, 1 + step % 2);
      }
    }
    return;
  }
  Crew::instance().run([&](u32 k) {
    Input own = input.third(k);
    for (u32 step = 0; step < kMostSteps && !own.is_over(); step++) {
      if (k == Crew::kThreads - 1) {
        target.memory().scribble(own);
      } else {
        target.call(own, 1 + k);
      }
    }
  });
}

}  // namespace threadsafe::fuzz
