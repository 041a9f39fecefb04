#include "handle.h"

#include "../platform/helper.h"
#include "../platform/parking.h"
#include "../platform/thread_number.h"

namespace threadsafe {
namespace {

// The handles that the helper thread is to look at. Callers push them, signal handlers included.
// The helper takes them all at once, so that a compare-exchange can't succeed on a head that has
// gone and come back with another next.
constinit std::atomic<Handle*> listed{nullptr};

}  // namespace

u32 Handle::putter() const {
  if (on_own_thread()) return opener_.thread_number;
  thread_local const u32 number = next_thread_number();
  return number;
}

void Handle::unpark_later() {
  // Sequentially consistent, with the helper's exchange: either that comes later, and the helper
  // sees what was noted; or it has come, and the handle goes on the list again. Where another call
  // is just about to put it there, perhaps the one that this handler has interrupted, that one
  // calls the helper.
  if (!listed_.exchange(true, std::memory_order_seq_cst)) {
    // Relaxed, as this call's own use keeps it from being deleted now.
    owners_.fetch_add(1, std::memory_order_relaxed);
    Handle* head = listed.load(std::memory_order_relaxed);  // a guess, checked by the compare-exchange
    do {
      next_listed_ = head;  // no race: the helper has read the last one before it let go of `listed_`
      // Release: the helper, which takes the list with acquire, sees this handle's next.
    } while (!listed.compare_exchange_weak(head, this, std::memory_order_release, std::memory_order_relaxed));
    call_helper();
  }
}

void Handle::unpark_listed() {
  Handle* next;
  // Acquire, with the release of each that is in the list; the exchange below is against the one
  // above.
  for (Handle* handle = listed.exchange(nullptr, std::memory_order_acquire); handle; handle = next) {
    next = handle->next_listed_;  // before it may be listed again
    handle->listed_.exchange(false, std::memory_order_seq_cst);
    handle->unparks_.make(unpark);  // the lists are only addresses to it: their memory may have gone
    handle->disown();
  }
}

void Handle::cancel() {
  calls_.close();
  // Under the lock under which sleepers look whether they may: one that has not seen the above is
  // in the list by now.
  unparks_.each_list([](const WaitList& list) { unpark(list, kEverybody); });
}

void Handle::close() {
  cancel();
  calls_.retire(std::this_thread::yield);
  // Release: the isolate deletes what the calls have used.
  closed_.store(true, std::memory_order_release);
  // The isolate may have ended, and its doorbell be another's: then that loop comes round for
  // nothing.
  ring_doorbell(opener_.doorbell);
  disown();
}

void Handle::end() {
  cancel();
  calls_.retire(std::this_thread::yield);
  disown();
}

void Handle::disown() {
  // Acquire and release: the last owner deletes it after the others' use.
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

int start_unparking() { return start_helper(Handle::unpark_listed); }

}  // namespace threadsafe
