#include "native_handles.h"

#include "../core/pool.h"
#include "object.h"

namespace threadsafe {

void NativeHandles::add(Handle& handle, Napi::Uint8Array view) {
  sweep();  // who opens and closes in a loop never lets the doorbell's callback run
  entries_.push_back({&handle, Napi::Persistent(view)});
}

void NativeHandles::sweep() {
  std::erase_if(entries_, [](Entry& entry) {
    if (!entry.handle->closed()) return false;
    entry.handle->end();
    return true;
  });
}

void NativeHandles::keep_pool(PoolHeader& pool, Napi::Uint8Array view) {
  if (!pools_.contains(&pool)) pools_[&pool] = Napi::Persistent(view);
}

void NativeHandles::end(u32 thread) {
  for (Entry& entry : entries_) entry.handle->end();
  entries_.clear();
  // No call is inside any more.
  for (auto& [header, view] : pools_) {
    if (const auto pool = pool_in(view.Value())) {
      Pool(*pool->header, pool->geometry, PoolMemory(*pool->header, pool->geometry), ThreadWake{}).abandon(thread);
    }
  }
  pools_.clear();
}

}  // namespace threadsafe
