// Signal sources: a POSIX signal handler that puts into queues, sets events and messages, and writes
// records.
//
// The handler is the strictest context there is: it may strike any thread between any two
// instructions, this code's own included. So it takes no lock, allocates nothing and waits for
// nothing. It calls the core's [signal-safe] operations, clock_gettime, write and uv_async_send,
// and leaves errno as it was. It reads tables in static storage:
//
//     a source    enter; if it is for this signal, deliver; leave (core/use_count.h). Whoever detaches it retires it: handlers do not wait,
//                 so that is soon.
//     a signal    which sources it has, as a set of bits, and the handlers that were there before, which are called after ours
//                 (signals/chain.h)
//
// All signals are blocked while it works. It leaves every source that it has entered before it
// calls another handler.
#pragma once

#include "../core/layout.h"

namespace threadsafe {

inline constexpr u32 kMaxSources = 256;

// The record that the handler puts. `signalInfo` of lib/signals/info.ts has the same fields.
struct SignalInfo {
  std::int32_t signo;
  std::int32_t code;
  std::int32_t pid;
  u32 uid;
  std::int32_t status;  // of SIGCHLD
  std::int32_t value;
  u64 timestamp;  // ns of the clock of process.hrtime(), taken in the handler
  std::int32_t overrun;
};
static_assert(sizeof(SignalInfo) == 40 && offsetof(SignalInfo, timestamp) == 24 && offsetof(SignalInfo, overrun) == 32);

// An event, or a queue, a record or a message of SignalInfo. It must stay in memory until the source is
// detached.
struct SignalTarget {
  constexpr SignalTarget() = default;
  // A target in memory that JavaScript reaches, with a geometry that was checked (core/layout.h).
  SignalTarget(QueueHeader* to, const Geometry& checked) : queue(to), geometry(checked) {}
  SignalTarget(SnapshotHeader* written, const SnapshotGeometry& checked, bool message)
      : record(written), is_message(message), record_geometry(checked) {}
  // A target in memory that nobody else reaches. One of the two is null.
  SignalTarget(QueueHeader* to, EventHeader* set) : queue(to), event(set), geometry(to ? to->geometry : Geometry{}) {}

  QueueHeader* queue = nullptr;
  EventHeader* event = nullptr;
  SnapshotHeader* record = nullptr;
  bool is_message = false;
  Geometry geometry{};
  SnapshotGeometry record_geometry{};
};

struct SourceCounts {
  u32 delivered;
  u32 dropped;
};

// A word that the watched thread sets again and again to CLOCK_MONOTONIC in nanoseconds. With a
// heartbeat, a tick is delivered only when the last beat is older than the limit, and once for each
// beat; `value` is then the beat's age in microseconds. It must stay in memory like the target.
struct Heartbeat {
  const Atomic<u64>* beat;
  u64 limit_ns;
};

struct TimerSettings {
  u64 interval_ns;
  bool in_this_thread;  // ticks interrupt the calling thread, which must also detach; else a thread of the package's own
  Heartbeat heartbeat;  // beat null: none
};

// A source's number, or the errno of what failed.
struct Attached {
  u32 source;
  int error;
};

// The first and last real-time signal; 0 where there are none. Numbers between the last ordinary
// signal and the first of these belong to the C library.
int first_realtime_signal();
int last_realtime_signal();

Attached attach_signal(int signo, SignalTarget target);

// Attaches a kernel timer, on the monotonic clock, that fires the signal at that source alone.
// ENOTSUP where there are no such timers.
Attached attach_timer(int signo, const TimerSettings& timer, SignalTarget target);

// Installs our handler again, which then calls the one that has replaced it, if the signal has
// sources.
void reclaim_signal(int signo);

// True if the process's handler for that signal is ours.
bool is_installed(int signo);

// libuv installs and removes its handler without regard to others. It replaces whatever is there
// when the first uv_signal_t for a signal starts, and puts the default action there when the last
// one stops. Each time process.on() may make it do so, call libuv_will_change() before, and
// libuv_has_changed() after, with whether process.on() listens now. Then every handler is in place
// again, ours on top if it is in use. Call these in one thread, that of process.on(). They do
// nothing before follow_libuv() was called, since in runtimes other than Node some functions of
// libuv end the process.
void follow_libuv();
void libuv_will_change(int signo);
void libuv_has_changed(int signo, bool listens);

// Returns its final counts. Afterwards its number may be another source's.
SourceCounts detach_source(u32 source);
SourceCounts source_counts(u32 source);

// Calls sigqueue(3), and returns 0 or errno. ENOTSUP for a value where signals carry none.
int send_signal(int pid, int signo, bool has_value, int value);

}  // namespace threadsafe
