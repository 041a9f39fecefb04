// The helper thread: does for signal handlers what they may not do themselves, and watches descriptors for threads that are blocked. It is
// started when it may first be needed and stays as long as the process; while there is nothing to do, it sleeps. It takes no signals. Where
// there are none, whoever calls it does the work, and nothing can be watched.
#pragma once

#include "../core/layout.h"

namespace threadsafe {

// Starts it unless it runs; from now on a call makes it do that work as well. 0 or the errno of
// what failed.
int start_helper(void (*work)());

// [signal-safe] Calls that come before the helper has looked are one call.
void call_helper();

// happened(id) is called in the helper thread each time that there is more to be read from that descriptor, and at once if there is
// something. `id` is not 0; the function is the same in each call. False if it can't be watched, or is already. The descriptor stays open
// until unwatch_descriptor(), which may be called twice; happened(id) may still be called after that.
bool watch_descriptor(int descriptor, u64 id, void (*happened)(u64 id));
void unwatch_descriptor(int descriptor);

}  // namespace threadsafe
