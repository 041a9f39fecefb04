#include "native_handles.h"

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

void NativeHandles::end() {
  for (Entry& entry : entries_) entry.handle->end();
  entries_.clear();
}

}  // namespace threadsafe
