// The helper thread does for signal handlers what they may not do themselves, and watches
// descriptors for threads that are blocked. It is started when it may first be needed and lives as
// long as the process; while there is nothing to do, it sleeps. It takes no signals. On a platform
// without POSIX signals whoever calls it does the work, and nothing can be watched.
#pragma once

#include "../core/layout.h"

namespace threadsafe {

// Starts it unless it runs. From now on a call makes it do that work as well. Returns 0 or the
// errno of what failed.
int start_helper(void (*work)());

// [signal-safe] Has the helper do its work. Calls that come before it has looked are merged into
// one.
void call_helper();

// Calls happened(id) in the helper thread each time that there is more to be read from that
// descriptor, and at once if there is something. `id` must not be 0, and the function must be the
// same in each call. Returns false if it can't be watched, or is already. The descriptor must stay
// open until unwatch_descriptor(), which may be called twice; happened(id) may still be called
// after that.
bool watch_descriptor(int descriptor, u64 id, void (*happened)(u64 id));
void unwatch_descriptor(int descriptor);

}  // namespace threadsafe
