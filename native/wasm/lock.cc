// The module of a lock.
#include "../core/lock.h"

#include "module.h"

namespace {

using namespace threadsafe;

// The addon knows whom to wake.
struct LockWake {
  void one(WaitList&) { wake(0); }
  void all(WaitList&) { wake(0); }
};

auto lock() { return Lock<LockWake>(header<LockHeader>(), LockWake{}); }

}  // namespace

// Returns the epoch of that thread's acquisition, plus 2^32 if the last holder has abandoned the
// lock, or a negated status. After `busy` the addon finds out whether the reservation is over.
EXPORT("acquire") double acquire(u32 thread) {
  Hold hold;
  const Status status = lock().try_acquire(thread, hold);
  if (status != Status::ok) return -static_cast<double>(status);
  return static_cast<double>(pack(hold.abandoned, hold.epoch));
}

EXPORT("release") void release(u32 thread, u32 epoch, int abandoned) { lock().release(thread, {epoch, abandoned != 0}); }

EXPORT("owner") u32 owner() { return lock().owner(); }
