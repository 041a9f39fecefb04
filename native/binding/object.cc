#include "object.h"

namespace threadsafe {

std::optional<FoundQueue> queue_in(Napi::Uint8Array view) {
  FoundQueue queue{object_in<QueueHeader>(view, Kind::queue), {}};
  if (!queue.header || !checked_geometry(*queue.header, view.ByteLength(), queue.geometry)) return std::nullopt;
  return queue;
}

std::optional<FoundSnapshot> snapshot_in(Napi::Uint8Array view, Kind kind) {
  FoundSnapshot snapshot{object_in<SnapshotHeader>(view, kind), {}, kind};
  if (!snapshot.header || !checked_geometry(*snapshot.header, view.ByteLength(), snapshot.geometry)) return std::nullopt;
  return snapshot;
}

EventHeader* event_in(Napi::Uint8Array view) { return object_in<EventHeader>(view, Kind::event); }

LockHeader* lock_in(Napi::Uint8Array view) { return object_in<LockHeader>(view, Kind::lock); }

std::optional<FoundPool> pool_in(Napi::Uint8Array view) {
  FoundPool pool{object_in<PoolHeader>(view, Kind::pool), {}};
  if (!pool.header || !checked_pool(*pool.header, view.ByteLength(), pool.geometry)) return std::nullopt;
  return pool;
}

void SharedObject::abandon() {
  if (has_memory()) withdraw_and_wake();
}

}  // namespace threadsafe
