// The functions of threadsafe.h.
#include "calls.h"

#include <cerrno>
#include <cstring>

#include "../core/event.h"
#include "../core/lock.h"
#include "../core/pool.h"
#include "../core/queue.h"
#include "../core/record.h"
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
              same(THREADSAFE_DAMAGED, Status::damaged) && same(THREADSAFE_BUSY, Status::busy));

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

// Waits as all threads do, but no longer than until the handle is cancelled, which wakes it. Only
// the thread of an isolate has other reasons to stop, and asks for those as well.
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

// The caller's buffer for an item that is got.
struct Buffer {
  void* item;
  std::size_t bytes;
  std::size_t* item_bytes;

  threadsafe_status check(const OpenQueue& queue) const {
    return queue.item_bytes == 0 || bytes == queue.item_bytes ? THREADSAFE_OK : THREADSAFE_WRONG_SIZE;
  }

  // The longest message that is taken. An item of fixed size is always taken, as JavaScript may
  // have put a number as a message that is longer than the number.
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

// -- Opening. --

threadsafe_status record_open(const threadsafe_native* object, std::size_t bytes, const threadsafe_field* fields, std::size_t field_count,
                              threadsafe_record** record) {
  return OpenableNative::openers_of(object).record(object, bytes, fields, field_count, record);
}

threadsafe_status message_open(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                               const threadsafe_field* fields, std::size_t field_count, threadsafe_message** message) {
  return OpenableNative::openers_of(object).message(object, type, item_bytes, fields, field_count, message);
}

threadsafe_status lock_open(const threadsafe_native* object, threadsafe_lock** lock) {
  return OpenableNative::openers_of(object).lock(object, lock);
}

threadsafe_status pool_open(const threadsafe_native* object, threadsafe_type type, std::size_t buffer_bytes, threadsafe_pool** pool) {
  return OpenableNative::openers_of(object).pool(object, type, buffer_bytes, pool);
}

// -- The record and the message. --

template <class Wake>
Snapshot<Buffers, Wake> core_of(const OpenSnapshot& open, Wake wake) {
  return {open.header, open.buffers, wake};
}

void tell(uint64_t* version, u64 word) {
  if (version) *version = version_in(word);
}

threadsafe_status record_read(threadsafe_record* handle, void* value, std::size_t bytes, uint64_t* version) {
  OpenRecord& record = OpenRecord::of(handle);
  return signal_safe(record, [&](auto wake) {
    if (bytes != record.buffers.bytes) return THREADSAFE_WRONG_SIZE;
    const auto core = core_of(record, wake);
    u64 word = 0;
    const auto read = [&] { return core.try_read(word, [&](u32 index) { record.buffers.read(index, 0, value, record.buffers.bytes); }); };
    const Status status = until_not_busy(read, HandlerPatience());
    if (status == Status::ok) tell(version, word);
    return public_status(status);
  });
}

threadsafe_status record_write(threadsafe_record* handle, const void* value, std::size_t bytes, const threadsafe_range* ranges,
                               std::size_t range_count, uint64_t* version) {
  OpenRecord& record = OpenRecord::of(handle);
  return signal_safe(record, [&](auto wake) {
    if (bytes != record.buffers.bytes) return THREADSAFE_WRONG_SIZE;
    for (std::size_t k = 0; k < range_count; k++) {
      if (ranges[k].offset > bytes || ranges[k].bytes > bytes - ranges[k].offset) return THREADSAFE_WRONG_SIZE;
    }
    auto core = core_of(record, wake);
    u64 word = 0;
    const auto fill = [&](u32 index) {
      const Buffers& buffers = record.buffers;
      if (!ranges) {
        buffers.set_length(index, buffers.bytes);
        return buffers.write(index, 0, value, buffers.bytes);
      }
      buffers.copy(index_in(word), index);
      for (std::size_t k = 0; k < range_count; k++) {
        const auto at = static_cast<u32>(ranges[k].offset);
        buffers.write(index, at, static_cast<const std::byte*>(value) + at, static_cast<u32>(ranges[k].bytes));
      }
    };
    const auto write = [&] {
      word = core.begin();
      return core.try_write(word, false, fill, !ranges);
    };
    const Status status = until_not_busy(write, HandlerPatience());
    if (status == Status::ok) tell(version, word);
    return public_status(status);
  });
}

threadsafe_status record_wait(threadsafe_record* handle, uint64_t since, double milliseconds, uint64_t* version) {
  OpenRecord& record = OpenRecord::of(handle);
  const Use use(record.calls());
  if (!use) return THREADSAFE_CLOSED;
  auto core = core_of(record, ThreadWake{});
  Status status = version_in(core.word()) > since ? Status::ok : Status::timeout;
  if (status == Status::timeout && milliseconds != 0) {
    CallParker parker(record, record.header.changed, deadline_after(milliseconds));
    status = core.wait(parker, since);
  }
  if (status == Status::ok) tell(version, core.word());
  return public_status(status);
}

threadsafe_status record_cancel(threadsafe_record* record) {
  OpenRecord::of(record).cancel();
  return THREADSAFE_OK;
}

threadsafe_status record_close(threadsafe_record* record) {
  OpenRecord::of(record).close();
  return THREADSAFE_OK;
}

threadsafe_status message_set(threadsafe_message* handle, const void* value, std::size_t bytes) {
  OpenMessage& message = OpenMessage::of(handle);
  return signal_safe(message, [&](auto wake) {
    if (message.item_bytes != 0 && bytes != message.item_bytes) return THREADSAFE_WRONG_SIZE;
    if (bytes > message.buffers.bytes) return THREADSAFE_TOO_LARGE;
    auto core = core_of(message, wake);
    const auto set = [&] {
      u64 word = core.begin();
      const auto fill = [&](u32 index) {
        message.buffers.set_length(index, static_cast<u32>(bytes));
        message.buffers.write(index, 0, value, static_cast<u32>(bytes));
      };
      return core.try_write(word, true, fill, true);
    };
    return public_status(until_not_busy(set, HandlerPatience()));
  });
}

threadsafe_status message_clear(threadsafe_message* handle) {
  OpenMessage& message = OpenMessage::of(handle);
  return signal_safe(message, [&](auto wake) {
    core_of(message, wake).clear();
    return THREADSAFE_OK;
  });
}

threadsafe_status message_cancel(threadsafe_message* message) {
  OpenMessage::of(message).cancel();
  return THREADSAFE_OK;
}

threadsafe_status message_close(threadsafe_message* message) {
  OpenMessage::of(message).close();
  return THREADSAFE_OK;
}

// -- The lock. --

threadsafe_status lock_is_held(threadsafe_lock* handle, bool* held) {
  OpenLock& lock = OpenLock::of(handle);
  *held = false;
  return signal_safe(lock, [&](auto wake) {
    *held = Lock(lock.header, wake).is_held();
    return THREADSAFE_OK;
  });
}

threadsafe_status lock_cancel(threadsafe_lock* lock) {
  OpenLock::of(lock).cancel();
  return THREADSAFE_OK;
}

threadsafe_status lock_close(threadsafe_lock* lock) {
  OpenLock::of(lock).close();
  return THREADSAFE_OK;
}

// -- The pool. --

template <class Wake>
Pool<PoolMemory, Wake> core_of(const OpenPool& pool, Wake wake) {
  return {pool.header, pool.geometry, PoolMemory(pool.header, pool.geometry), wake};
}

// Names are salted on their way out, and on their way in.
threadsafe_status named(const OpenPool& pool, Status status, u32 name, std::uint32_t* result) {
  if (status == Status::ok) *result = name ^ pool.geometry.salt;
  return public_status(status);
}

threadsafe_status done(bool success) { return success ? THREADSAFE_OK : THREADSAFE_ENDED; }

threadsafe_status pool_try_lend(threadsafe_pool* handle, std::uint32_t* lease) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    u32 name = 0;
    const Status status = core_of(pool, wake).try_lend_at_once(pool.owner, name);
    return named(pool, status, name, lease);
  });
}

threadsafe_status pool_lend(threadsafe_pool* handle, std::uint32_t* lease, double milliseconds) {
  OpenPool& pool = OpenPool::of(handle);
  const Use use(pool.calls());
  if (!use) return THREADSAFE_CLOSED;
  auto core = core_of(pool, ThreadWake{});
  u32 name = 0;
  Status status = core.try_lend(pool.owner, name);
  if (status == Status::empty && milliseconds == 0) status = Status::timeout;
  if (status == Status::empty) {
    CallParker parker(pool, pool.header.waiters, deadline_after(milliseconds));
    status = core.lend(parker, pool.owner, name);
  }
  return named(pool, status, name, lease);
}

threadsafe_status pool_data(threadsafe_pool* handle, std::uint32_t lease, void** data) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    const u32 name = lease ^ pool.geometry.salt;
    auto core = core_of(pool, wake);
    if (!core.has(pool.owner, name)) return THREADSAFE_ENDED;
    const std::size_t offset = pool.geometry.buffers + std::size_t{core.index_of(name)} * pool.geometry.stride;
    *data = reinterpret_cast<std::byte*>(&pool.header) + offset;
    return THREADSAFE_OK;
  });
}

threadsafe_status pool_pass(threadsafe_pool* handle, std::uint32_t lease, std::uint32_t* token) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    u32 name = 0;
    if (!core_of(pool, wake).pass(pool.owner, lease ^ pool.geometry.salt, name)) return THREADSAFE_ENDED;
    return named(pool, Status::ok, name, token);
  });
}

threadsafe_status pool_take(threadsafe_pool* handle, std::uint32_t token, std::uint32_t* lease) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    *lease = token;  // the same name
    return done(core_of(pool, wake).take(pool.owner, token ^ pool.geometry.salt));
  });
}

threadsafe_status pool_release(threadsafe_pool* handle, std::uint32_t lease) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) { return done(core_of(pool, wake).release(pool.owner, lease ^ pool.geometry.salt)); });
}

threadsafe_status pool_cancel(threadsafe_pool* pool) {
  OpenPool::of(pool).cancel();
  return THREADSAFE_OK;
}

threadsafe_status pool_close(threadsafe_pool* pool) {
  OpenPool::of(pool).close();
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
    .record_open = record_open,
    .record_cancel = record_cancel,
    .record_close = record_close,
    .record_read = record_read,
    .record_write = record_write,
    .record_wait = record_wait,
    .message_open = message_open,
    .message_cancel = message_cancel,
    .message_close = message_close,
    .message_set = message_set,
    .message_clear = message_clear,
    .lock_open = lock_open,
    .lock_cancel = lock_cancel,
    .lock_close = lock_close,
    .lock_is_held = lock_is_held,
    .pool_open = pool_open,
    .pool_cancel = pool_cancel,
    .pool_close = pool_close,
    .pool_try_lend = pool_try_lend,
    .pool_lend = pool_lend,
    .pool_data = pool_data,
    .pool_pass = pool_pass,
    .pool_take = pool_take,
    .pool_release = pool_release,
};

}  // namespace threadsafe
