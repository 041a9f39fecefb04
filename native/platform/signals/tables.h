// The tables that the signal handler shares with those who attach and detach: sources, and for each
// signal its sources and the handlers before ours. They are in static storage: zero before any code
// runs, and never freed.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <signal.h>
#include <uv.h>

#include <atomic>
#include <mutex>

#include "../../core/deferred.h"
#include "../../core/use_count.h"
#include "../signals.h"
#include "../ticker.h"
#include "chain.h"

namespace threadsafe {
namespace {

#ifdef NSIG
constexpr int kSignals = NSIG;
#else
constexpr int kSignals = 65;
#endif

struct Source {
  UseCount uses;       // by handlers, and the helper thread; open while it is attached
  bool taken = false;  // under attach_mutex()
  std::atomic<u32> delivered{0};
  std::atomic<u32> dropped{0};
  DeferredUnparks unparks{};  // left to the helper thread by handlers
  // Under attach_mutex().
  TickTimer timer{};
  // Written while `uses` is not open, read within a use.
  int signo = 0;
  SignalTarget target{};
  bool is_timer = false;
  u32 generation = 0;
  Heartbeat heartbeat{};
  // Reset while `uses` is not open, like the counts above.
  std::atomic<u64> told_beat{0};  // the last beat whose lateness has been told
};

struct Signal {
  std::atomic<u64> sources[kMaxSources / 64];
  Chain chain;
  // Written under attach_mutex(). The atomic ones are also read by other copies' questions
  // (others.h), under their locks. Sequentially consistent, so that of two copies which lose their
  // last sources at once, and then ask each other, one learns that the other has none.
  std::atomic<u32> attached{0};    // sources
  std::atomic<bool> is_out{true};  // nobody calls ours; read by the handler, too
  bool stays = false;              // ours stays without sources, on behalf of the handlers before it
  bool was_installed = false;      // at any time before
  Previous* replaced = nullptr;    // the handler that ours has last replaced, if that is called; else `uncalled` is what ours replaced
  struct sigaction uncalled{};
  struct sigaction covered{};   // what was there when libuv was going to change it
  bool listened = false;        // by process.on()
  uv_signal_t* hold = nullptr;  // see hold_libuv()
  bool is_held = false;
};

bool is_signal(int signo) { return signo > 0 && signo < kSignals; }

constinit Source sources[kMaxSources];
constinit Signal signals[kSignals];

// Guards attaching and detaching against each other. No handler takes it.
std::mutex& attach_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

bool in_use(const Signal& signal) { return signal.attached.load() > 0 || signal.stays; }

}  // namespace
}  // namespace threadsafe
