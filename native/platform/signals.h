// Signal sources: a POSIX signal handler that puts into queues and sets events.
//
// The handler is the strictest context there is: it may strike any thread between any two instructions, this code's own included. So it
// takes no lock, allocates nothing, waits for nothing; it calls the core's [signal-safe] operations, clock_gettime, write and
// uv_async_send, and leaves errno as it was. What it reads are tables in static storage:
//
//     a source    users + 1; if it is active and for this signal, deliver; users - 1. Whoever detaches makes it inactive and waits until
//                 there are no users: handlers do not wait, so that is soon.
//     a signal    which sources it has, as a set of bits, and the handler that was there before, which is called after ours
#pragma once

#include "../core/layout.h"

namespace threadsafe {

inline constexpr u32 kMaxSources = 256;

// What the handler puts; the record `signalInfo` of lib/signal-info.ts has the same fields.
struct SignalInfo {
  std::int32_t signo;
  std::int32_t code;
  std::int32_t pid;
  u32 uid;
  std::int32_t value;
  u64 timestamp;  // CLOCK_MONOTONIC, ns, taken in the handler
  std::int32_t overrun;
};
static_assert(sizeof(SignalInfo) == 40 && offsetof(SignalInfo, timestamp) == 24 && offsetof(SignalInfo, overrun) == 32);

// Either a queue of SignalInfo or an event. It must stay in memory until the source is detached.
struct SignalTarget {
  QueueHeader* queue;
  EventHeader* event;
};

struct SourceCounts {
  u32 delivered;
  u32 dropped;
};

// A source's number, or the errno of what failed.
struct Attached {
  u32 source;
  int error;
};

// The first and last real-time signal; 0 where there are none. Numbers between the last ordinary signal and the first of these are not for
// us.
int first_realtime_signal();
int last_realtime_signal();

Attached attach_signal(int signo, SignalTarget target);

// A timer of the kernel's, on the monotonic clock, that fires the signal at that source alone. ENOTSUP where there are none.
Attached attach_timer(int signo, u64 interval_ns, SignalTarget target);

// Answers its last counts: afterwards its number may be another's.
SourceCounts detach_source(u32 source);
SourceCounts source_counts(u32 source);

// sigqueue(3): 0 or errno. ENOTSUP for a value where signals carry none.
int send_signal(int pid, int signo, bool has_value, int value);

}  // namespace threadsafe
