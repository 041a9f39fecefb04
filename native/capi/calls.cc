// The functions of threadsafe.h.
#include "calls.h"

#include <cerrno>
#include <cstring>

#include "../core/event.h"
#include "../core/queue.h"
#include "../platform/patience.h"
#include "../platform/wakes.h"

namespace threadsafe {
namespace {

using ThreadWake = WakeBy<ThreadWaker>;
using SignalWake = WakeBy<SignalWaker>;

constexpr bool same(threadsafe_status code, Status status) { return static_cast<u32>(code) == static_cast<u32>(status); }
static_assert(same(THREADSAFE_OK, Status::ok) && same(THREADSAFE_EMPTY, Status::empty) && same(THREADSAFE_FULL, Status::full) &&
              same(THREADSAFE_CLOSED, Status::closed) && same(THREADSAFE_TIMEOUT, Status::timeout) &&
              same(THREADSAFE_TOO_SMALL, Status::too_small) && same(THREADSAFE_DROPPED, Status::dropped) &&
              same(THREADSAFE_DAMAGED, Status::damaged));

constexpr bool same(threadsafe_type code, ElementType type) { return static_cast<u32>(code) == static_cast<u32>(type); }
static_assert(same(THREADSAFE_BYTES, ElementType::bytes) && same(THREADSAFE_BOOLEAN, ElementType::boolean) &&
              same(THREADSAFE_INT8, ElementType::int8) && same(THREADSAFE_UINT8, ElementType::uint8) &&
              same(THREADSAFE_INT16, ElementType::int16) && same(THREADSAFE_UINT16, ElementType::uint16) &&
              same(THREADSAFE_INT32, ElementType::int32) && same(THREADSAFE_UINT32, ElementType::uint32) &&
              same(THREADSAFE_BIGINT64, ElementType::bigint64) && same(THREADSAFE_BIGUINT64, ElementType::biguint64) &&
              same(THREADSAFE_FLOAT32, ElementType::float32) && same(THREADSAFE_FLOAT64, ElementType::float64) &&
              same(THREADSAFE_RECORD, ElementType::record) && same(THREADSAFE_ARRAY, ElementType::array));

// A blocking call is interrupted when its handle is, or its own isolate, which is as good as gone
// then.
threadsafe_status public_status(Status status) {
  return status == Status::interrupted ? THREADSAFE_CLOSED : static_cast<threadsafe_status>(status);
}

// -- Calls that are safe in a signal handler, and so always are: who calls can't be told. --

class KeepErrno {
 public:
  ~KeepErrno() { errno = saved_; }

 private:
  const int saved_ = errno;
};

// call(wake) in a use of the handle.
template <class Call>
threadsafe_status signal_safe(Handle& handle, Call&& call) {
  const KeepErrno keep;
  const Use use(handle.calls());
  if (!use) return THREADSAFE_CLOSED;
  bool unpark_needed = false;
  const threadsafe_status status = call(SignalWake{SignalWaker{handle.unparks(), unpark_needed}});
  if (unpark_needed) handle.unpark_later();
  return status;
}

// -- Calls that block. --

Deadline deadline_after(double milliseconds) { return milliseconds < 0 ? Deadline::never() : Deadline::after(milliseconds); }

// Waits as all threads do, but until the handle is cancelled at most. That wakes it; only the
// thread of an isolate, which has other reasons to stop, asks for those as well.
class CallParker {
 public:
  // `held_back`: of a put that another's priority token may hold back.
  CallParker(Handle& handle, const WaitList& list, Deadline deadline, HeldBack* held_back = nullptr)
      : handle_(handle),
        stops_(Stopping{handle.on_own_thread() ? &handle : nullptr, held_back}, intervals(handle, held_back)),
        parker_(list, deadline, stops_) {}

  bool pause() { return parker_.pause(); }

  template <class MaySleep>
  Status sleep(MaySleep&& may_sleep) {
    const Status status = parker_.sleep([&] { return handle_.alive() && may_sleep(); });
    return handle_.alive() ? status : Status::interrupted;
  }

  void leave() { parker_.leave(); }
  bool slept() const { return parker_.slept(); }

  // Until then it may also wait for another's copy.
  auto patience() {
    return [this, patience = Patience(stops_)]() mutable { return handle_.alive() && patience(); };
  }

 private:
  struct Stopping {
    const Handle* own;
    HeldBack* held_back;
    bool operator()() const { return (own && own->own_thread_stopping()) || (held_back && held_back->too_long()); }
  };

  static StopIntervals intervals(const Handle& handle, const HeldBack* held_back) {
    // Not never: a condition variable that waits until the end of time overflows in some libraries.
    constexpr std::chrono::hours kSeldom{1};
    StopIntervals intervals{.shortest = kSeldom, .longest = kSeldom};
    if (handle.on_own_thread()) intervals = handle.stop_intervals();
    if (held_back) {
      intervals.longest = std::min<Clock::duration>(intervals.longest, kHeldBackInterval);
      intervals.shortest = std::min(intervals.shortest, intervals.longest);
    }
    return intervals;
  }

  const Handle& handle_;
  StopCheck<Stopping> stops_;
  ThreadParker<Stopping> parker_;
};

// -- The queue. --

constexpr std::size_t kCell = 8;

threadsafe_status check_put(const OpenQueue& queue, std::size_t bytes) {
  if (queue.item_bytes == 0) return bytes <= queue.most_bytes ? THREADSAFE_OK : THREADSAFE_TOO_LARGE;
  return bytes == queue.item_bytes ? THREADSAFE_OK : THREADSAFE_WRONG_SIZE;
}

auto copy_in(const OpenQueue& queue, const void* item) {
  return [&queue, item](const Span& span) {
    if (span.bytes == kCell && span.slots == 1) {
      std::memcpy(queue.slots.payload(span.index), item, kCell);  // of a known length, this is one instruction
    } else if (span.bytes > 0) {
      queue.slots.copy_in(span, item);
    }
  };
}

// The place for an item that is got.
struct Buffer {
  void* item;
  std::size_t bytes;
  std::size_t* item_bytes;

  threadsafe_status check(const OpenQueue& queue) const {
    return queue.item_bytes == 0 || bytes == queue.item_bytes ? THREADSAFE_OK : THREADSAFE_WRONG_SIZE;
  }

  // The longest message that is taken. One of fixed size always is: JavaScript may have put a
  // number as a message that is longer than the number.
  u32 limit(const OpenQueue& queue) const { return queue.item_bytes != 0 || bytes > ~u32{0} ? ~u32{0} : static_cast<u32>(bytes); }

  auto copy_out(const OpenQueue& queue) const {
    return [this, &queue](const Span& span) {
      const std::size_t length = queue.item_bytes != 0 ? queue.item_bytes : span.bytes;
      if (length == kCell && span.slots == 1) {
        std::memcpy(item, queue.slots.payload(span.index), kCell);
      } else if (queue.item_bytes != 0) {
        std::memcpy(item, queue.slots.payload(span.index), length);
      } else if (length > 0) {
        queue.slots.copy_out(span, item);
      }
      if (item_bytes) *item_bytes = length;
    };
  }

  template <class Wake>
  threadsafe_status public_status(const Queue<StridedSlots, Wake>& queue, Status status) const {
    if (status == Status::too_small && item_bytes) *item_bytes = queue.next_bytes();
    return threadsafe::public_status(status);
  }
};

template <class Wake>
Queue<StridedSlots, Wake> core_of(const OpenQueue& queue, Wake wake) {
  return {queue.header, queue.geometry, queue.slots, wake};
}

threadsafe_status offer(threadsafe_queue* handle, const void* item, std::size_t bytes, bool drop) {
  OpenQueue& queue = OpenQueue::of(handle);
  return signal_safe(queue, [&](auto wake) {
    if (const threadsafe_status wrong = check_put(queue, bytes)) return wrong;
    auto core = core_of(queue, wake);
    const Status status = core.offer(static_cast<u32>(bytes), copy_in(queue, item));
    if (status != Status::full || !drop) return public_status(status);
    core.count_dropped();
    return THREADSAFE_DROPPED;
  });
}

threadsafe_status try_put(threadsafe_queue* handle, const void* item, std::size_t bytes) { return offer(handle, item, bytes, false); }

threadsafe_status put_or_drop(threadsafe_queue* handle, const void* item, std::size_t bytes) { return offer(handle, item, bytes, true); }

threadsafe_status put(threadsafe_queue* handle, const void* item, std::size_t bytes, double milliseconds) {
  OpenQueue& queue = OpenQueue::of(handle);
  const Use use(queue.calls());
  if (!use) return THREADSAFE_CLOSED;
  if (const threadsafe_status wrong = check_put(queue, bytes)) return wrong;
  auto core = core_of(queue, ThreadWake{});
  const auto length = static_cast<u32>(bytes);
  const auto write = copy_in(queue, item);
  const Putter putter{queue.putter(), false};
  const bool waits = milliseconds != 0;
  const auto attempt = [&] { return waits ? core.attempt_waiting_put(putter, false, length, write) : core.attempt_put(length, write); };
  Status status = attempt();
  if (status == Status::ok || status == Status::closed) return public_status(status);
  const Deadline deadline = deadline_after(milliseconds);
  HeldBack held_back(queue.header, putter.number);
  const auto wait = [&] {
    CallParker parker(queue, queue.header.not_full, deadline, queue.item_bytes == 0 ? &held_back : nullptr);
    return core.put(parker, putter.number, length, write);
  };
  if (waits) status = put_heeding_token(held_back, wait, [&] { return core.put_past_token(length, write); });
  CallParker parker(queue, queue.header.not_full, deadline);
  if (status == Status::busy) status = queue.stuck.settle_put(core, parker.patience(), attempt);
  return public_status(status == Status::full ? Status::timeout : status);
}

threadsafe_status try_get(threadsafe_queue* handle, void* item, std::size_t bytes, std::size_t* item_bytes) {
  OpenQueue& queue = OpenQueue::of(handle);
  const Buffer buffer{item, bytes, item_bytes};
  return signal_safe(queue, [&](auto wake) {
    if (const threadsafe_status wrong = buffer.check(queue)) return wrong;
    auto core = core_of(queue, wake);
    return buffer.public_status(core, core.try_get(buffer.limit(queue), buffer.copy_out(queue)));
  });
}

threadsafe_status get(threadsafe_queue* handle, void* item, std::size_t bytes, std::size_t* item_bytes, double milliseconds) {
  OpenQueue& queue = OpenQueue::of(handle);
  const Buffer buffer{item, bytes, item_bytes};
  const Use use(queue.calls());
  if (!use) return THREADSAFE_CLOSED;
  if (const threadsafe_status wrong = buffer.check(queue)) return wrong;
  auto core = core_of(queue, ThreadWake{});
  const u32 limit = buffer.limit(queue);
  const auto read = buffer.copy_out(queue);
  const auto attempt = [&] { return core.attempt_get(limit, read); };
  Status status = attempt();
  if (status != Status::empty && status != Status::busy) return buffer.public_status(core, status);
  CallParker parker(queue, queue.header.not_empty, deadline_after(milliseconds));
  if (milliseconds != 0) status = core.get(parker, limit, read);
  if (status == Status::busy) status = queue.stuck.settle_get(core, parker.patience(), attempt);
  return buffer.public_status(core, status == Status::empty ? Status::timeout : status);
}

threadsafe_status queue_end(threadsafe_queue* handle) {
  OpenQueue& queue = OpenQueue::of(handle);
  return signal_safe(queue, [&](auto wake) {
    core_of(queue, wake).close();
    return THREADSAFE_OK;
  });
}

threadsafe_status queue_cancel(threadsafe_queue* queue) {
  OpenQueue::of(queue).cancel();
  return THREADSAFE_OK;
}

threadsafe_status queue_close(threadsafe_queue* queue) {
  OpenQueue::of(queue).close();
  return THREADSAFE_OK;
}

// -- The event. --

threadsafe_status event_set(threadsafe_event* handle) {
  OpenEvent& event = OpenEvent::of(handle);
  return signal_safe(event, [&](auto wake) {
    Event(event.header, wake).set();
    return THREADSAFE_OK;
  });
}

threadsafe_status event_clear(threadsafe_event* handle) {
  OpenEvent& event = OpenEvent::of(handle);
  return signal_safe(event, [&](auto wake) {
    Event(event.header, wake).clear();
    return THREADSAFE_OK;
  });
}

threadsafe_status event_is_set(threadsafe_event* handle, bool* set) {
  OpenEvent& event = OpenEvent::of(handle);
  *set = false;
  return signal_safe(event, [&](auto wake) {
    *set = Event(event.header, wake).is_set();
    return THREADSAFE_OK;
  });
}

threadsafe_status event_wait(threadsafe_event* handle, double milliseconds) {
  OpenEvent& event = OpenEvent::of(handle);
  const Use use(event.calls());
  if (!use) return THREADSAFE_CLOSED;
  Event core(event.header, ThreadWake{});
  if (core.is_set()) return THREADSAFE_OK;
  if (milliseconds == 0) return THREADSAFE_TIMEOUT;
  CallParker parker(event, event.header.waiters, deadline_after(milliseconds));
  return public_status(core.wait(parker));
}

threadsafe_status event_cancel(threadsafe_event* event) {
  OpenEvent::of(event).cancel();
  return THREADSAFE_OK;
}

threadsafe_status event_close(threadsafe_event* event) {
  OpenEvent::of(event).close();
  return THREADSAFE_OK;
}

}  // namespace

constinit const threadsafe_table function_table = {
    .version = THREADSAFE_NEWEST_ABI_VERSION,
    .bytes = sizeof(threadsafe_table),
    .queue_open = open_native_queue,
    .queue_cancel = queue_cancel,
    .queue_close = queue_close,
    .queue_end = queue_end,
    .try_put = try_put,
    .put_or_drop = put_or_drop,
    .put = put,
    .try_get = try_get,
    .get = get,
    .event_open = open_native_event,
    .event_cancel = event_cancel,
    .event_close = event_close,
    .event_set = event_set,
    .event_clear = event_clear,
    .event_is_set = event_is_set,
    .event_wait = event_wait,
};

}  // namespace threadsafe
