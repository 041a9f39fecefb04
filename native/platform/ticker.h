// Kernel timers that fire a real-time signal, and the threads that take these signals, one for each
// signal that timers use. So no thread that runs JavaScript is interrupted for them unless it asks
// for that, and a timer that is faster than the handler keeps nobody else from working. Such a
// thread has only its own signal unblocked: another one might have no handler, as some thread waits
// for it with sigwait(3). The thread begins with the first timer of its signal and ends with the
// last. Linux; elsewhere ENOTSUP.
#pragma once

#include <signal.h>
#include <time.h>

#include "../core/layout.h"

namespace threadsafe {

struct TickTimer {
#ifdef __linux__
  timer_t timer;
  pid_t thread;  // takes the timer's signals
  bool in_this_thread;
#endif
};

// Returns 0 or errno. Each signal carries `value`, which must differ from that of any other timer.
int create_tick_timer(TickTimer& timer, int signo, u64 interval_ns, u64 value, bool in_this_thread);

// Ends the timer, and returns whether none of its signals is pending any more. `handler_answers`:
// the handler for `signo` calls note_settled(); if not, nothing can be said.
bool delete_tick_timer(TickTimer& timer, int signo, bool handler_answers);

// [signal-safe] For the handler: whether this signal only marks that those before it have been
// dealt with.
bool note_settled(const siginfo_t& info);

}  // namespace threadsafe
