// Shared by the tests of core and platform: objects in their own memory, wakers and parkers, and a
// watchdog.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../core/event.h"
#include "../core/queue.h"
#include "../core/select.h"
#include "../core/slots.h"
#include "../platform/parking.h"

namespace threadsafe::test {

// Returns how often to repeat a test that makes `times` repetitions without sanitizers.
constexpr u32 scaled(u32 times) {
#if defined(THREAD_SANITIZER)
  return times / 20 + 1;
#elif defined(ADDRESS_SANITIZER)
  return times / 5 + 1;
#else
  return times;
#endif
}

// Ends the process, and says what it has waited for, unless it goes out of scope in time. So a lost
// wake is a failure and not a hang.
class Watchdog {
 public:
  explicit Watchdog(std::string what, std::chrono::seconds limit = std::chrono::seconds(60))
      : thread_([this, what = std::move(what), limit] {
          std::unique_lock<std::mutex> lock(mutex_);
          if (condition_.wait_for(lock, limit, [this] { return done_; })) return;
          std::fprintf(stderr, "still waiting after %d s: %s\n", static_cast<int>(limit.count()), what.c_str());
          std::fflush(stderr);
          std::abort();
        }) {}

  ~Watchdog() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    condition_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool done_ = false;
  std::thread thread_;
};

template <class Condition>
void wait_until(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

// Runs each function in its own thread, and waits for all.
inline void run_together(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::thread> threads;
  for (const auto& body : bodies) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

// Random numbers for one thread (xorshift).
class Random {
 public:
  explicit Random(u64 seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  u32 below(u32 limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<u32>(state_ >> 33) % limit;
  }

 private:
  u64 state_;
};

// Wakes threads. No event loop announces itself in these tests.
struct ThreadWake {
  void unpark(const WaitList& list, u32 most) { threadsafe::unpark(list, most); }
  void ring(u32, const WaitList&) { std::abort(); }
  bool is_idle(u32) { std::abort(); }
  void one(WaitList& list) { wake_one(list, *this); }
  void all(WaitList& list) { wake_all(list, *this); }
};

// Makes a parker for a thread that nobody stops.
inline auto parker(const WaitList& list, Deadline deadline = Deadline::never()) {
  thread_local StopCheck unstopped([] { return false; });
  return ThreadParker(list, deadline, unstopped);
}

// A Parker that neither spins nor looks again after a slice of time, since either would hide a lost
// wake.
class PatientParker {
 public:
  explicit PatientParker(const WaitList& list) : sleeper_(list) {}
  explicit PatientParker(std::span<Place> places) : sleeper_(places) {}

  bool pause() { return false; }

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    wait_long_enough(may_sleep);
    slept_ = true;
    return Status::ok;
  }

  void leave() { sleeper_.leave(); }
  bool slept() const { return slept_; }

 private:
  template <class MaySleep>
  void wait_long_enough(MaySleep&& may_sleep) {
    if (!sleeper_.sleep_until(Clock::now() + std::chrono::hours(1), may_sleep)) std::abort();
  }

  Sleeper sleeper_;
  bool slept_ = false;
};

// Zeroed memory, aligned like shared memory.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(round_up(static_cast<u32>(bytes), kLine)), data_(std::aligned_alloc(kLine, bytes_)) {
    std::memset(data_, 0, bytes_);
  }
  ~Memory() { std::free(data_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* data() const { return data_; }

 private:
  std::size_t bytes_;
  void* data_;
};

// Two lists to sleep at.
struct Lists {
  Memory memory{2 * sizeof(WaitList)};
  WaitList& first = static_cast<WaitList*>(memory.data())[0];
  WaitList& second = static_cast<WaitList*>(memory.data())[1];
};

// Fills in the content of the message with that number. Its first byte determines the others.
inline void fill(std::vector<unsigned char>& message, u32 number) {
  for (std::size_t k = 0; k < message.size(); k++) message[k] = static_cast<unsigned char>(number * 31 + k * 7);
}

class TestQueue {
  auto writer(const void* from) {
    return [this, from](const Span& span) { slots().copy_in(span, from); };
  }
  auto reader(void* to) {
    return [this, to](const Span& span) { slots().copy_out(span, to); };
  }
  auto message_reader(std::vector<unsigned char>& message) {
    return [this, &message](const Span& span) {
      message.reserve(span.bytes + 1);
      message.resize(span.bytes);
      slots().copy_out(span, message.data());
    };
  }

 public:
  using Core = Queue<StridedSlots, ThreadWake>;

  explicit TestQueue(u32 capacity, ElementType type = ElementType::bytes, u32 item_bytes = 8, Overflow overflow = Overflow::reject)
      : memory_(bytes_needed(type, capacity, item_bytes)), header_(*static_cast<QueueHeader*>(memory_.data())) {
    lay_out(header_.geometry, type, capacity, item_bytes);
    header_.geometry.overflow = overflow;
  }

  QueueHeader& header() { return header_; }
  StridedSlots slots() { return StridedSlots(header_, header_.geometry); }
  Core core() { return Core(header_, header_.geometry, slots(), ThreadWake{}); }

  // Makes the empty ring look as if it had been used for long: `items` were put, and `position` is
  // the next one.
  void start_at(u32 position, u32 items) {
    const Positions positions{header_.geometry.capacity, header_.geometry.index_bits};
    for (u32 k = 0, at = position; k < header_.geometry.capacity; k++, at = positions.advance(at, 1)) {
      slots().stamp(positions.index(at)).store(positions.free_sequence(at), memory_order_relaxed);
    }
    header_.tail.store(pack(items, position), memory_order_relaxed);
    header_.head.store(pack(items, position), memory_order_relaxed);
  }

  // The items of these calls have four bytes.
  Status try_put(u32 value) { return core().try_put(sizeof value, writer(&value)); }
  Status offer(u32 value) { return core().offer(sizeof value, writer(&value)); }
  Status try_get(u32& value) { return core().try_get(sizeof value, reader(&value)); }
  template <class Parker>
  Status put(Parker&& parker, u32 value, u32 putter = 1) {
    return core().put(parker, putter, sizeof value, writer(&value));
  }
  template <class Parker>
  Status get(Parker&& parker, u32& value) {
    return core().get(parker, sizeof value, reader(&value));
  }

  // Puts the message with that number, of any length.
  Status try_put_message(u32 bytes, u32 number) {
    const auto message = message_of(bytes, number);
    return core().try_put(bytes, writer(message.data()));
  }
  template <class Parker>
  Status put_message(Parker&& parker, u32 putter, u32 bytes, u32 number) {
    const auto message = message_of(bytes, number);
    return core().put(parker, putter, bytes, writer(message.data()));
  }
  Status try_get_message(std::vector<unsigned char>& message) { return core().try_get(~u32{0}, message_reader(message)); }
  template <class Parker>
  Status get_message(Parker&& parker, std::vector<unsigned char>& message) {
    return core().get(parker, ~u32{0}, message_reader(message));
  }

  static std::vector<unsigned char> message_of(u32 bytes, u32 number) {
    std::vector<unsigned char> message;
    message.reserve(bytes + 1);  // gives an empty message an address too
    message.resize(bytes);
    fill(message, number);
    return message;
  }

  // Calls strike() in the middle of the copy, as a signal handler would strike.
  template <class Strike>
  Status put_and(u32 bytes, u32 number, Strike&& strike) {
    const auto message = message_of(bytes, number);
    return core().attempt_put(bytes, [&](const Span& span) {
      strike();
      slots().copy_in(span, message.data());
    });
  }
  template <class Strike>
  Status get_and(std::vector<unsigned char>& message, Strike&& strike) {
    return core().attempt_get(~u32{0}, [&](const Span& span) {
      message_reader(message)(span);
      strike();
    });
  }
  Status offer_message(u32 bytes, u32 number) {
    const auto message = message_of(bytes, number);
    return core().offer(bytes, writer(message.data()));
  }
  // The call of a thread that may wait for another's copy, so it can return `busy`.
  Status attempt_put_message(u32 bytes, u32 number) {
    const auto message = message_of(bytes, number);
    return core().attempt_put(bytes, writer(message.data()));
  }
  Status attempt_offer_message(u32 bytes, u32 number) {
    const auto message = message_of(bytes, number);
    return core().attempt_offer(bytes, writer(message.data()));
  }
  Status attempt_get_message(std::vector<unsigned char>& message) { return core().attempt_get(~u32{0}, message_reader(message)); }

  // Returns whether no announcement, permit or priority token is left, as when nobody waits.
  bool nobody_waits() {
    return header_.not_empty.state.load(memory_order_seq_cst) == 0 && header_.not_full.state.load(memory_order_seq_cst) == 0 &&
           header_.token.load(memory_order_seq_cst) == 0;
  }

 private:
  // The core never touches the staging areas, which would take most of the memory.
  static std::size_t bytes_needed(ElementType type, u32 capacity, u32 item_bytes) {
    Geometry geometry;
    lay_out(geometry, type, capacity, item_bytes);
    return geometry.staging;
  }

  Memory memory_;
  QueueHeader& header_;
};

class TestEvent {
 public:
  TestEvent() : memory_(sizeof(EventHeader)), header_(*static_cast<EventHeader*>(memory_.data())) {}
  EventHeader& header() { return header_; }
  WaitList& waiters() { return header_.waiters; }
  Event<ThreadWake> core() { return Event<ThreadWake>(header_, ThreadWake{}); }

 private:
  Memory memory_;
  EventHeader& header_;
};

inline u32 announced(const WaitList& list) { return threads_in(list.state.load(memory_order_seq_cst)); }

}  // namespace threadsafe::test
