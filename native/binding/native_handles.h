// The handles that native code has opened in one isolate. The isolate keeps their memory alive, and
// takes it from them when it ends.
#pragma once

#include <napi.h>

#include <map>
#include <vector>

#include "../capi/handle.h"

namespace threadsafe {

class NativeHandles {
 public:
  // `view` shows the whole memory.
  void add(Handle& handle, Napi::Uint8Array view);

  // Lets go of handles that any thread has closed. Only this isolate's thread may drop their
  // references.
  void sweep();

  // The isolate, of that thread, ends.
  void end(u32 thread);

  // Native code may lend buffers of that pool in the isolate's name, and may close its handle before
  // it gives them back: so the isolate keeps the pool until it ends, and gives them back then.
  void keep_pool(PoolHeader& pool, Napi::Uint8Array view);

 private:
  struct Entry {
    Handle* handle;
    Napi::Reference<Napi::Uint8Array> view;
  };
  std::vector<Entry> entries_;
  std::map<PoolHeader*, Napi::Reference<Napi::Uint8Array>> pools_;
};

}  // namespace threadsafe
