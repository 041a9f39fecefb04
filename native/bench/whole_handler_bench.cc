// Measures a raise() with our handler, less one with a handler that does nothing. The difference is
// making the record, reading the clock, finding the source, and the put.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../core/slots.h"
#include "../platform/signals.h"
#include "handler_bench.h"
#include "number_queue.h"

namespace threadsafe::bench {

double whole_handler_cost(std::uint64_t times) {
  constexpr u32 kCapacity = 64;
  constexpr std::size_t kLeastBatches = 101;
  Geometry geometry{};
  const Memory memory = zeroed(static_cast<std::size_t>(lay_out(geometry, ElementType::record, kCapacity, sizeof(SignalInfo))));
  auto& header = *static_cast<QueueHeader*>(memory.get());
  lay_out(header.geometry, ElementType::record, kCapacity, sizeof(SignalInfo));

  struct sigaction nothing{};
  nothing.sa_sigaction = [](int, siginfo_t*, void*) {};
  nothing.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigaction(SIGUSR1, &nothing, nullptr);

  const Attached source = attach_signal(SIGUSR2, SignalTarget{&header, nullptr});
  if (source.error != 0) std::exit(1);
  Queue<StridedSlots, ThreadWake> queue(header, header.geometry, StridedSlots(header, header.geometry), ThreadWake{});
  std::vector<double> differences;
  // Alternates the two, in short batches that fit into the queue, and takes the median, as an
  // interrupted batch is worthless.
  for (u64 signals = 0; signals < times || differences.size() < kLeastBatches; signals += kCapacity) {
    differences.push_back(nanoseconds_of_raise(SIGUSR2, kCapacity) - nanoseconds_of_raise(SIGUSR1, kCapacity));
    u32 taken = 0;
    while (queue.try_get(~u32{0}, [](const Span&) {}) == Status::ok) taken++;
    if (taken != kCapacity) {
      std::fprintf(stderr, "native_bench: %u of %u signals arrived\n", taken, kCapacity);
      std::exit(1);
    }
  }
  detach_source(source.source);
  std::sort(differences.begin(), differences.end());
  return differences[differences.size() / 2];
}

}  // namespace threadsafe::bench
