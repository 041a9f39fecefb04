// Turns a siginfo into the record that is delivered, and finds out which source a tick is for. All
// of this is for the signal handler.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <signal.h>
#include <time.h>

#include <atomic>
#include <cstdint>

#include "tables.h"

namespace threadsafe {
namespace {

// libuv's clock, and so that of process.hrtime(). On macOS it is mach_continuous_time().
#ifdef __APPLE__
constexpr clockid_t kClockOfHrtime = CLOCK_MONOTONIC_RAW;
#else
constexpr clockid_t kClockOfHrtime = CLOCK_MONOTONIC;
#endif

// A timer's signal carries a value that says which source it is for. Its upper half marks it as
// ours; then comes the generation, so that a late tick of a timer that is gone does not count for
// the one that has its place now.
u64 tick_mark() { return reinterpret_cast<std::uintptr_t>(sources) * 0x9e3779b97f4a7c15 & ~u64{0xffffffff}; }

u64 tick_value(u32 number) { return tick_mark() | (sources[number].generation & 0xffffff) << 8 | number; }

#ifdef SI_TIMER
bool is_our_tick(const siginfo_t& info) {
  return info.si_code == SI_TIMER && (reinterpret_cast<u64>(info.si_value.sival_ptr) & ~u64{0xffffffff}) == tick_mark();
}
#else
bool is_our_tick(const siginfo_t&) { return false; }
#endif

// A siginfo is a union: for signals that the kernel sends, such as SIGIO for a file, what would be
// the sender's number is something else.
bool tells_sender(int signo, int code) {
#ifdef __linux__
  constexpr int kFirstOfKernel = 0x80;  // SI_KERNEL: the siginfo says nothing more
  return (code <= 0 && code != SI_SIGIO) || (signo == SIGCHLD && code < kFirstOfKernel);
#else
  (void)signo, (void)code;
  return true;
#endif
}

bool tells_status(int signo, int code) { return signo == SIGCHLD && code > 0 && tells_sender(signo, code); }

bool carries_value(int code) {
#ifdef __linux__
  return code < 0 && code != SI_SIGIO && code != SI_TKILL;
#else
  return code == SI_QUEUE;
#endif
}

SignalInfo describe(int signo, const siginfo_t& info) {
  timespec now;
  clock_gettime(kClockOfHrtime, &now);
  SignalInfo record{};
  record.signo = signo;
  record.code = info.si_code;
  record.timestamp = static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
#ifdef SI_TIMER
  if (info.si_code == SI_TIMER) {
    if (!is_our_tick(info)) record.value = info.si_value.sival_int;
#ifdef __linux__
    record.overrun = info.si_overrun;
#endif
    return record;
  }
#endif
  if (tells_sender(signo, info.si_code)) {
    record.pid = info.si_pid;
    record.uid = info.si_uid;
  }
  if (tells_status(signo, info.si_code)) record.status = info.si_status;
  if (carries_value(info.si_code)) record.value = info.si_value.sival_int;
  return record;
}

// Whether a tick of that source is to be delivered: not while its heartbeat is young, and once for
// each beat that grows old. Sets the record's value to the beat's age. A beat of 0 counts as none.
bool is_late(Source& source, SignalInfo& record) {
  // Acquire: whoever gets the record sees what the beating thread did before its last beat.
  const u64 beat = source.heartbeat.beat->load(std::memory_order_acquire);
  if (beat == 0 || beat >= record.timestamp || record.timestamp - beat <= source.heartbeat.limit_ns) return false;
  // Relaxed: only this timer's handler writes it, in one thread, so it orders nothing.
  if (source.told_beat.exchange(beat, std::memory_order_relaxed) == beat) return false;
  const u64 microseconds = (record.timestamp - beat) / 1000;
  record.value = static_cast<std::int32_t>(microseconds < INT32_MAX ? microseconds : INT32_MAX);
  return true;
}

}  // namespace
}  // namespace threadsafe
