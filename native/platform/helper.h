// The helper thread: does for signal handlers what they may not do themselves. It is started when
// it may first be needed and stays as long as the process; while nobody calls it, it sleeps in
// read(2). It takes no signals. Where there are none, whoever calls it does the work.
#pragma once

namespace threadsafe {

// Starts it unless it runs; from now on a call makes it do that work as well. 0 or the errno of
// what failed.
int start_helper(void (*work)());

// [signal-safe] Calls that come before the helper has looked are one call.
void call_helper();

}  // namespace threadsafe
