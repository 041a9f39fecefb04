// A queue and an event as native code has them open, for the functions of threadsafe.h.
#pragma once

#include "../core/slots.h"
#include "../platform/patience.h"
#include "handle.h"

namespace threadsafe {

extern const threadsafe_table function_table;

// Opening needs Node-API: native/binding/native_code.cc.
threadsafe_status open_native_queue(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                                    const threadsafe_field* fields, std::size_t field_count, threadsafe_queue** queue);
threadsafe_status open_native_event(const threadsafe_native* object, threadsafe_event** event);

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

}  // namespace threadsafe
