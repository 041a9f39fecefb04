// The helper thread: does for signal handlers what they may not do themselves. It is started with the first signal source and stays as
// long as the process; while nobody calls it, it sleeps in read(2). It also takes the ticks of signal timers, so that no thread that
// runs JavaScript is interrupted for them.
#pragma once

#include <sys/types.h>

namespace threadsafe {

// Starts it unless it runs; `work` is what a call makes it do. Every signal is blocked there but those that helper_takes() named.
// 0 or the errno of what failed.
int start_helper(void (*work)());

// [signal-safe] Calls that come before the helper has looked are one call.
void call_helper();

// Unblocks that signal in the helper thread, before it returns.
void helper_takes(int signo);

// Returns when the helper has been back in its own code: then no signal that was pending there before still is.
void helper_settles();

// The kernel's number of the helper thread, where threads can be named as a timer's target; else 0.
pid_t helper_thread_id();

}  // namespace threadsafe
