// What native code has opened in one isolate: the isolate keeps their memory alive, and takes it
// from them when it ends.
#pragma once

#include <napi.h>

#include <vector>

#include "../capi/handle.h"

namespace threadsafe {

class NativeHandles {
 public:
  // `view` is of the whole memory.
  void add(Handle& handle, Napi::Uint8Array view);

  // Lets go what has been closed, by any thread. References are for this isolate's thread alone.
  void sweep();

  void end();

 private:
  struct Entry {
    Handle* handle;
    Napi::Reference<Napi::Uint8Array> view;
  };
  std::vector<Entry> entries_;
};

}  // namespace threadsafe
