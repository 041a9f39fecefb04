// Timers of the kernel's that fire a real-time signal, and the threads that take their signals, one
// for each signal that timers use: no thread that runs JavaScript is interrupted for them unless it
// asks for that, and a timer that is faster than the handler keeps nobody else from working. Such a
// thread has its own signal alone unblocked, as whatever else it took might be what another thread
// waits for with sigwait(3), and have no handler. It begins with the first timer of its signal and
// ends with the last. Linux; elsewhere ENOTSUP.
#pragma once

#include <signal.h>
#include <time.h>

#include "../core/layout.h"

namespace threadsafe {

struct TickTimer {
#ifdef __linux__
  timer_t timer;
  pid_t thread;  // that takes its signals
  bool in_this_thread;
#endif
};

// 0 or errno. Each signal carries `value`; that of another timer's signal must differ.
int create_tick_timer(TickTimer& timer, int signo, u64 interval_ns, u64 value, bool in_this_thread);

// Ends the timer, and returns whether none of its signals is pending any more. `handler_answers`:
// the handler for `signo` calls note_settled(); if not, nothing can be said.
bool delete_tick_timer(TickTimer& timer, int signo, bool handler_answers);

// [signal-safe] For the handler: whether this signal only tells that those before it have been
// dealt with.
bool note_settled(const siginfo_t& info);

}  // namespace threadsafe
