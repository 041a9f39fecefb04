// The common part of the WebAssembly modules. Each module is the core as JavaScript's hot path for
// one kind of object. An instance makes a function of each export, so a module has no more than its
// object needs. The addon wakes waiters, and is called only if there are any. Nothing in a module
// may need a stack in memory or static data, as every thread's instance has the same memory. No
// function calls another, and none loops between claim and publish, since those are the places
// where V8 ends a thread, or a script whose time is up (node:vm). `npm run wasm` builds
// lib/addon/wasm.generated.ts and checks that.
#pragma once

#include "../core/layout.h"

#define EXPORT(name) extern "C" __attribute__((export_name(name)))

// The addon's function that wakes one waiter of that list, or all of an event's. native/binding has
// the numbers of the lists.
extern "C" __attribute__((import_module("host"), import_name("wake"))) void wake(int list);

namespace threadsafe {

// The header of the object whose memory this is.
template <class ObjectHeader>
ObjectHeader& header() {
  return *reinterpret_cast<ObjectHeader*>(kOrigin);
}

}  // namespace threadsafe
