// The helper thread: does for signal handlers what they may not do themselves. It is started with the first signal source and stays as
// long as the process; while nobody calls it, it sleeps in read(2). It takes no signals.
#pragma once

namespace threadsafe {

// Starts it unless it runs; `work` is what a call makes it do. 0 or the errno of what failed.
int start_helper(void (*work)());

// [signal-safe] Calls that come before the helper has looked are one call.
void call_helper();

}  // namespace threadsafe
