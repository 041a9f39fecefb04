// Measures queues between native threads, as the limit of what JavaScript can reach. Prints one
// line: the nanoseconds per item, or those of every round trip.
//
//     native_bench one-thread ITEMS
//     native_bench pass core|mutex PRODUCERS CONSUMERS CAPACITY ITEMS
//     native_bench ping-pong spinning|parked|core|mutex TRIPS
//     native_bench handler put|whole|empty TIMES
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "handler_bench.h"
#include "mutex_queue.h"
#include "number_queue.h"

namespace threadsafe::bench {
namespace {

double nanoseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::nano>(Clock::now() - start).count(); }

[[noreturn]] void fail(const char* why) {
  std::fprintf(stderr, "native_bench: %s\n", why);
  std::exit(1);
}

void run_together(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::thread> threads;
  for (const auto& body : bodies) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

double one_thread(u64 items) {
  constexpr u32 kCapacity = 1024;
  const Memory memory = zeroed(bytes_of_numbers(kCapacity));
  NumberQueue queue(memory.get(), kCapacity);
  double sum = 0;
  const auto start = Clock::now();
  for (u64 k = 0; k < items; k++) {
    double value = 0;
    queue.try_put(static_cast<double>(k));
    queue.try_get(value);
    sum += value;
  }
  const double nanoseconds = nanoseconds_since(start);
  if (sum != static_cast<double>(items) * static_cast<double>(items - 1) / 2) fail("what came out is not what went in");
  return nanoseconds / static_cast<double>(items);
}

// All items pass once before they are measured, as in bench/peers/passing.ts.
template <class Queue>
double pass(Queue& queue, unsigned producers, unsigned consumers, u64 items) {
  const u64 unit = u64{producers} * consumers;
  items = (items + unit - 1) / unit * unit;
  std::barrier gate(producers + consumers + 1);
  std::vector<double> sums(consumers);
  std::vector<std::function<void()>> bodies;
  const auto twice = [&](auto&& work) {
    work();
    gate.arrive_and_wait();
    work();
  };
  for (unsigned p = 0; p < producers; p++) {
    bodies.push_back([&, p] {
      const u64 share = items / producers;
      twice([&] {
        for (u64 k = 0; k < share; k++) queue.put(static_cast<double>(p * share + k));
      });
    });
  }
  for (unsigned c = 0; c < consumers; c++) {
    bodies.push_back([&, c] {
      twice([&] {
        double sum = 0;
        for (u64 k = 0; k < items / consumers; k++) sum += queue.get();
        sums[c] = sum;
      });
    });
  }
  Clock::time_point start;
  bodies.push_back([&] {
    gate.arrive_and_wait();
    start = Clock::now();
  });
  run_together(bodies);
  const double nanoseconds = nanoseconds_since(start);
  double sum = 0;
  for (const double part : sums) sum += part;
  if (sum != static_cast<double>(items) * static_cast<double>(items - 1) / 2) fail("what came out is not what went in");
  return nanoseconds / static_cast<double>(items);
}

double pass(const std::string& how, unsigned producers, unsigned consumers, u32 capacity, u64 items) {
  if (how == "mutex") {
    MutexQueue queue(capacity);
    return pass(queue, producers, consumers, items);
  }
  const Memory memory = zeroed(bytes_of_numbers(capacity));
  NumberQueue queue(memory.get(), capacity);
  return pass(queue, producers, consumers, items);
}

// A Parker that sleeps at once, without spinning.
class SleepingParker {
 public:
  explicit SleepingParker(const WaitList& list) : sleeper_(list) {}
  bool pause() { return false; }
  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    slept_ = true;
    sleeper_.sleep_until(Clock::now() + std::chrono::seconds(10), may_sleep);
    return Status::ok;
  }
  void leave() { sleeper_.leave(); }
  bool slept() const { return slept_; }

 private:
  Sleeper sleeper_;
  bool slept_ = false;
};

// As in bench/cases/ping-pong.ts, items pass unmeasured until the scheduler has given each thread
// its own core. One more item then ends that phase.
constexpr auto kSettling = std::chrono::milliseconds(100);
constexpr double kLast = -1;

// put(which, value) and get(which) use the queue that leads there (0) or back (1).
template <class Put, class Get>
std::vector<double> ping_pong(unsigned trips, Put&& put, Get&& get) {
  std::vector<double> latencies(trips);
  std::thread echo([&] {
    double value = 0;
    do {
      value = get(0);
      put(1, value);
    } while (value != kLast);
  });
  const auto trip = [&](double value) {
    put(0, value);
    if (get(1) != value) fail("the wrong number came back");
  };
  for (const auto start = Clock::now(); Clock::now() - start < kSettling;) trip(0);
  for (unsigned k = 0; k < trips; k++) {
    const auto start = Clock::now();
    trip(k);
    latencies[k] = nanoseconds_since(start);
  }
  trip(kLast);
  echo.join();
  return latencies;
}

std::vector<double> ping_pong(const std::string& how, unsigned trips) {
  constexpr u32 kCapacity = 16;
  if (how == "mutex") {
    MutexQueue queues[2]{MutexQueue(kCapacity), MutexQueue(kCapacity)};
    return ping_pong(trips, [&](int which, double value) { queues[which].put(value); }, [&](int which) { return queues[which].get(); });
  }
  const Memory there = zeroed(bytes_of_numbers(kCapacity));
  const Memory back = zeroed(bytes_of_numbers(kCapacity));
  NumberQueue queues[2]{NumberQueue(there.get(), kCapacity), NumberQueue(back.get(), kCapacity)};
  const auto put = [&](int which, double value) { queues[which].put(value); };
  if (how == "core") return ping_pong(trips, put, [&](int which) { return queues[which].get(); });
  if (how == "parked") {
    return ping_pong(trips, put, [&](int which) { return queues[which].get_by(SleepingParker(queues[which].not_empty())); });
  }
  return ping_pong(trips, put, [&](int which) {
    double value = 0;
    while (queues[which].try_get(value) != Status::ok) {
    }
    return value;
  });
}

u64 number(const char* text) { return std::strtoull(text, nullptr, 10); }

void print(const std::vector<double>& values) {
  for (const double value : values) std::printf("%.1f ", value);
  std::printf("\n");
}

int run(int arguments, char** argument) {
  const std::string what = arguments > 1 ? argument[1] : "";
  if (what == "one-thread" && arguments == 3) {
    print({one_thread(number(argument[2]))});
  } else if (what == "pass" && arguments == 7) {
    const auto count = [&](int k) { return static_cast<unsigned>(number(argument[k])); };
    print({pass(argument[2], count(3), count(4), count(5), number(argument[6]))});
  } else if (what == "ping-pong" && arguments == 4) {
    print(ping_pong(argument[2], static_cast<unsigned>(number(argument[3]))));
#ifdef HAVE_SIGNALS
  } else if (what == "handler" && arguments == 4) {
    print({handler_cost(argument[2], number(argument[3]))});
#endif
  } else {
    fail("see the head of native/bench/native_bench.cc for its arguments");
  }
  return 0;
}

}  // namespace
}  // namespace threadsafe::bench

int main(int arguments, char** argument) { return threadsafe::bench::run(arguments, argument); }
