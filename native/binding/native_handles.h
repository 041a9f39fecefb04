// The handles that native code has opened in one isolate. The isolate keeps their memory alive, and
// takes it from them when it ends.
#pragma once

#include <napi.h>

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

  void end();

 private:
  struct Entry {
    Handle* handle;
    Napi::Reference<Napi::Uint8Array> view;
  };
  std::vector<Entry> entries_;
};

}  // namespace threadsafe
