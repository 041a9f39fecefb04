// What the modules of WebAssembly have in common. Each is the core as JavaScript's hot path for one
// kind of object: an instance makes a function of each export, so a module has no more than its
// object needs. What waits is woken by the addon, which is called only if someone does. Nothing in
// a module may need a stack in memory or static data: every thread's instance has the same memory.
// No function calls another, and none loops between claim and publish, since those are the places
// where V8 ends what runs in a thread: the thread itself, or a script whose time is up (node:vm).
// `npm run wasm` builds lib/addon/wasm.generated.ts and checks that.
#pragma once

#include "../core/layout.h"

#define EXPORT(name) extern "C" __attribute__((export_name(name)))

// The addon's function: wakes one waiter of that list, as native/binding numbers them (of an
// event's: all).
extern "C" __attribute__((import_module("host"), import_name("wake"))) void wake(int list);

namespace threadsafe {

// Of the object whose memory this is.
template <class ObjectHeader>
ObjectHeader& header() {
  return *reinterpret_cast<ObjectHeader*>(kOrigin);
}

}  // namespace threadsafe
