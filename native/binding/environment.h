// What the addon keeps for each isolate: its loop, the buffer that items pass through, and the
// objects it has open; and how all that ends with the isolate.
#pragma once

#include <napi.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>

#include "../core/layout.h"
#include "../core/status.h"
#include "../platform/parking.h"
#include "../platform/signals.h"
#include "../platform/staging_area.h"
#include "loop.h"
#include "native_handles.h"

namespace threadsafe {

class SharedObject;

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static void create(Napi::Env env);
  static Environment& of(Napi::Env env);

  // The buffer that items are encoded into and decoded from, kScratchBytes long. One serves all
  // queues of the thread and all evaluations of lib/, as an item is in it only during one call.
  // This object owns the memory, since JavaScript may detach an ArrayBuffer.
  std::byte* scratch() const { return scratch_.get(); }
  // An ArrayBuffer over it, the same each time.
  Napi::Value scratch_buffer();

  // The head of the list of lib/shared/kept.ts.
  Napi::Object kept() {
    if (kept_.IsEmpty()) kept_ = Napi::Persistent(Napi::Object::New(env_));
    return kept_.Value();
  }

  // `probe` is called, and does nothing, to learn whether this isolate may still run JavaScript.
  void set_probe(const Napi::Function& probe) { probe_ = Napi::Persistent(probe); }
  bool interrupted();
  // The same for native code that waits in this thread, called by another addon's function.
  bool native_code_interrupted();

  // Says that this is Node, and its loop libuv's. In a worker (`is_worker`), whoever stops this
  // isolate, by terminate() or process.exit(), wakes that loop. Nobody stops the main thread's
  // isolate.
  void is_nodes(bool is_worker);
  // How often this isolate's thread asks interrupted() while it is blocked: at least every
  // `longest`.
  StopIntervals stop_intervals(Clock::duration longest = StopIntervals{}.longest) const;

  Loop& loop() { return loop_; }
  u32 doorbell() const { return loop_.doorbell(); }

  // Makes all isolates collect garbage: this one now, the others when their loops come round. For a
  // thread that has found no address space left: each object holds some 10 GiB of it until all
  // isolates have collected the object, and looks tiny to V8.
  void collect_everywhere();
  void collect_if_asked();

  // This thread's staging area, in each queue; kNoStagingArea if all were taken when it was first
  // asked for.
  u32 staging_area();

  // Names this thread in the priority token of putters, and as an owner of locks and leases; never
  // 0.
  u32 thread_number() const { return thread_number_; }

  void add(SharedObject& object);
  void remove(SharedObject& object);

  NativeHandles& native_handles() { return native_handles_; }
  bool ended() const { return ended_; }

  // What a source's handler looks at: the views hold its memory. A timer may have a heartbeat.
  struct SourceMemory {
    Napi::ObjectReference target;
    Napi::ObjectReference heartbeat;
  };

  // Keeps the memory until the source is detached.
  void attached(u32 source, SourceMemory memory);
  SourceCounts detach(u32 source);

 private:
  explicit Environment(Napi::Env env);
  u32 memories() const;
  void collect_soon();
  void collect_now();
  void end(napi_async_cleanup_hook_handle hook);

  const napi_env env_;
  const u32 thread_number_;
  const std::shared_ptr<std::byte[]> scratch_ = std::make_shared<std::byte[]>(kScratchBytes);
  Napi::Reference<Napi::ArrayBuffer> scratch_buffer_;
  Napi::FunctionReference probe_;
  Napi::ObjectReference kept_;
  StopIntervals stop_intervals_;
  Loop loop_;
  std::optional<u32> staging_area_;
  SharedObject* first_object_ = nullptr;
  u32 opened_ = 0;  // since the last collection that was asked for
  u32 collect_after_;
  u32 collected_ = 0;
  NativeHandles native_handles_;
  // Those that are attached, by number. Held here since the evaluation of the package that attached
  // one may be collected before (Jest drops those of its test files).
  std::map<u32, SourceMemory> sources_;
  bool ended_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace threadsafe
