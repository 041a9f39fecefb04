// Objects as native code has them open, for the functions of threadsafe.h.
#pragma once

#include "../core/buffers.h"
#include "../core/slots.h"
#include "../platform/patience.h"
#include "handle.h"

namespace threadsafe {

extern const threadsafe_table function_table;

// Opening needs Node-API: native/binding/native_code.cc.
threadsafe_status open_native_queue(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                                    const threadsafe_field* fields, std::size_t field_count, threadsafe_queue** queue);
threadsafe_status open_native_event(const threadsafe_native* object, threadsafe_event** event);

// The functions that open the other kinds of objects. A native object brings them along, so that what
// uses none of these objects links without them.
struct NativeOpeners {
  threadsafe_status (*record)(const threadsafe_native* object, std::size_t bytes, const threadsafe_field* fields, std::size_t field_count,
                              threadsafe_record** record);
  threadsafe_status (*message)(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                               const threadsafe_field* fields, std::size_t field_count, threadsafe_message** message);
  threadsafe_status (*lock)(const threadsafe_native* object, threadsafe_lock** lock);
  threadsafe_status (*pool)(const threadsafe_native* object, threadsafe_type type, std::size_t buffer_bytes, threadsafe_pool** pool);
};

struct OpenableNative : threadsafe_native {
  explicit OpenableNative(const NativeOpeners& functions) : threadsafe_native{&function_table}, openers(functions) {}

  static const NativeOpeners& openers_of(const threadsafe_native* object) { return static_cast<const OpenableNative*>(object)->openers; }

  const NativeOpeners& openers;
};

class OpenQueue final : public threadsafe_queue, public Handle {
 public:
  // `item_bytes`: of a type of fixed size, else 0.
  OpenQueue(const Opener& opener, QueueHeader& queue_header, const Geometry& checked, u32 fixed_bytes)
      : threadsafe_queue{&function_table},
        Handle(opener, queue_header.not_empty, &queue_header.not_full),
        header(queue_header),
        geometry(checked),
        slots(header, geometry),
        item_bytes(fixed_bytes),
        most_bytes(geometry.most_bytes()) {}

  static OpenQueue& of(threadsafe_queue* queue) { return static_cast<OpenQueue&>(*queue); }

  // These are copies: they can be read without the memory.
  QueueHeader& header;
  const Geometry geometry;
  const StridedSlots slots;
  const u32 item_bytes;
  const u64 most_bytes;
  Stuck stuck;
};

class OpenEvent final : public threadsafe_event, public Handle {
 public:
  OpenEvent(const Opener& opener, EventHeader& event_header)
      : threadsafe_event{&function_table}, Handle(opener, event_header.waiters, nullptr), header(event_header) {}

  static OpenEvent& of(threadsafe_event* event) { return static_cast<OpenEvent&>(*event); }

  EventHeader& header;
};

// What a record and a message have in common.
class OpenSnapshot : public Handle {
 public:
  OpenSnapshot(const Opener& opener, SnapshotHeader& snapshot_header, const SnapshotGeometry& checked)
      : Handle(opener, snapshot_header.changed, nullptr), header(snapshot_header), buffers(buffers_in(header, checked)) {}

  SnapshotHeader& header;
  const Buffers buffers;
};

class OpenRecord final : public threadsafe_record, public OpenSnapshot {
 public:
  OpenRecord(const Opener& opener, SnapshotHeader& record_header, const SnapshotGeometry& checked)
      : threadsafe_record{&function_table}, OpenSnapshot(opener, record_header, checked) {}

  static OpenRecord& of(threadsafe_record* record) { return static_cast<OpenRecord&>(*record); }
};

class OpenMessage final : public threadsafe_message, public OpenSnapshot {
 public:
  // `item_bytes`: of a type of fixed size, else 0.
  OpenMessage(const Opener& opener, SnapshotHeader& message_header, const SnapshotGeometry& checked, u32 fixed_bytes)
      : threadsafe_message{&function_table}, OpenSnapshot(opener, message_header, checked), item_bytes(fixed_bytes) {}

  static OpenMessage& of(threadsafe_message* message) { return static_cast<OpenMessage&>(*message); }

  const u32 item_bytes;
};

class OpenLock final : public threadsafe_lock, public Handle {
 public:
  OpenLock(const Opener& opener, LockHeader& lock_header)
      : threadsafe_lock{&function_table}, Handle(opener, lock_header.waiters, nullptr), header(lock_header) {}

  static OpenLock& of(threadsafe_lock* lock) { return static_cast<OpenLock&>(*lock); }

  LockHeader& header;
};

class OpenPool final : public threadsafe_pool, public Handle {
 public:
  OpenPool(const Opener& opener, PoolHeader& pool_header, const PoolGeometry& checked)
      : threadsafe_pool{&function_table},
        Handle(opener, pool_header.waiters, nullptr),
        header(pool_header),
        geometry(checked),
        owner(opener.thread_number) {}

  static OpenPool& of(threadsafe_pool* pool) { return static_cast<OpenPool&>(*pool); }

  // These are copies: they can be read without the memory.
  PoolHeader& header;
  const PoolGeometry geometry;
  const u32 owner;  // of all its leases: the isolate's thread, by its number
};

}  // namespace threadsafe
