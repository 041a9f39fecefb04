#include "handler_bench.h"

#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "../core/queue.h"
#include "../core/slots.h"
#include "../platform/signals.h"
#include "number_queue.h"

namespace threadsafe::bench {
namespace {

constexpr u32 kPuts = 1024;

double nanoseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::nano>(Clock::now() - start).count(); }

// The work of the handler below. The thread that raises the signal sets it before it does so.
struct Work {
  QueueHeader* queue;
  double nanoseconds;
};
Work work;

// Puts until the queue is full, so that reading the clock adds only a thousandth of its cost to
// each put.
void put_many(int signo, siginfo_t*, void*) {
  SignalInfo record{};
  record.signo = signo;
  const StridedSlots slots(*work.queue, work.queue->geometry);
  Queue<StridedSlots, ThreadWake> queue(*work.queue, work.queue->geometry, slots, ThreadWake{});
  const auto start = Clock::now();
  for (u32 k = 0; k < kPuts; k++) {
    record.value = static_cast<int>(k);
    queue.offer(sizeof record, [&](const Span& span) { slots.copy_in(span, &record); });
  }
  work.nanoseconds = nanoseconds_since(start);
}

double put_cost(u64 times) {
  Geometry geometry{};
  const Memory memory = zeroed(static_cast<std::size_t>(lay_out(geometry, ElementType::record, kPuts, sizeof(SignalInfo))));
  auto& header = *static_cast<QueueHeader*>(memory.get());
  lay_out(header.geometry, ElementType::record, kPuts, sizeof(SignalInfo));
  work.queue = &header;
  struct sigaction action{};
  action.sa_sigaction = put_many;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR2, &action, nullptr);

  double nanoseconds = 0;
  const u64 signals = times / kPuts + 1;
  for (u64 k = 0; k < signals; k++) {
    raise(SIGUSR2);
    nanoseconds += work.nanoseconds;
    Queue<StridedSlots, ThreadWake> queue(header, header.geometry, StridedSlots(header, header.geometry), ThreadWake{});
    u32 taken = 0;
    while (queue.try_get(~u32{0}, [](const Span&) {}) == Status::ok) taken++;
    if (taken != kPuts) {
      std::fprintf(stderr, "native_bench: %u of %u puts arrived\n", taken, kPuts);
      std::exit(1);
    }
  }
  return nanoseconds / static_cast<double>(signals * kPuts);
}

}  // namespace

double nanoseconds_of_raise(int signo, std::uint64_t times) {
  const auto start = Clock::now();
  for (u64 k = 0; k < times; k++) raise(signo);
  return nanoseconds_since(start) / static_cast<double>(times);
}

double handler_cost(const std::string& what, std::uint64_t times) {
  if (what == "put") return put_cost(times);
#ifdef HAVE_LIBUV
  if (what == "whole") return whole_handler_cost(times);
#endif
  std::fprintf(stderr, "native_bench: built without libuv\n");
  std::exit(2);
}

}  // namespace threadsafe::bench
