// The functions of threadsafe.h, and their table. Those of queues, records and pools are in headers,
// so a program that brings the package's native code along compiles this file alone.
#include "calls.h"

#include "../core/event.h"
#include "../core/lock.h"
#include "calling.h"
#include "pool_calls.h"
#include "queue_calls.h"
#include "record_calls.h"

namespace threadsafe {
namespace {

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
