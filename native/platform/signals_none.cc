// Windows: no POSIX signals. lib/signals refuses before any of this is called.
#include <cerrno>

#include "signals.h"

namespace threadsafe {

int first_realtime_signal() { return 0; }
int last_realtime_signal() { return 0; }
Attached attach_signal(int, SignalTarget) { return {0, ENOTSUP}; }
Attached attach_timer(int, const TimerSettings&, SignalTarget) { return {0, ENOTSUP}; }
void reclaim_signal(int) {}
bool is_installed(int) { return false; }
void follow_libuv() {}
void libuv_will_change(int) {}
void libuv_has_changed(int, bool) {}
SourceCounts detach_source(u32) { return {0, 0}; }
SourceCounts source_counts(u32) { return {0, 0}; }
int send_signal(int, int, bool, int) { return ENOTSUP; }

}  // namespace threadsafe
