#include "object.h"

namespace threadsafe {

namespace {

template <class ObjectHeader>
ObjectHeader* object_in(Napi::Uint8Array view, Kind kind) {
  if (view.ByteLength() < kOrigin + sizeof(ObjectHeader)) return nullptr;
  auto* const header = reinterpret_cast<ObjectHeader*>(view.Data() + kOrigin);
  const Header& object = header->object;
  const bool known = object.magic == kMagic && object.version == kLayoutVersion && object.owner == doorbell_table_id();
  return known && object.kind == kind ? header : nullptr;
}

}  // namespace

std::optional<FoundQueue> queue_in(Napi::Uint8Array view) {
  FoundQueue queue{object_in<QueueHeader>(view, Kind::queue), {}};
  if (!queue.header || !checked_geometry(*queue.header, view.ByteLength(), queue.geometry)) return std::nullopt;
  return queue;
}

EventHeader* event_in(Napi::Uint8Array view) { return object_in<EventHeader>(view, Kind::event); }

void SharedObject::abandon() {
  if (has_memory()) withdraw_and_wake();
}

}  // namespace threadsafe
