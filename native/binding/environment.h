// What the addon keeps for each isolate: its doorbell, the buffer that items pass through, the objects it has open. And how it ends.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "../core/layout.h"
#include "../core/status.h"
#include "../platform/block_area.h"
#include "../platform/doorbell.h"
#include "../platform/signals.h"
#include "native_handles.h"

namespace threadsafe {

class SharedObject;

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static void create(Napi::Env env);
  static Environment& of(Napi::Env env);

  // The buffer that items are encoded into and decoded from: one for all queues, as each item is in it only during one call.
  void set_scratch(Napi::Uint8Array view);
  void* scratch() const { return scratch_; }
  u32 scratch_bytes() const { return scratch_bytes_; }

  // `probe` is called, and does nothing, to learn whether this isolate may still run JavaScript.
  void set_probe(const Napi::Function& probe) { probe_ = Napi::Persistent(probe); }
  bool interrupted();

  // Opens this loop's doorbell, once. False when there is none to be had.
  bool open_doorbell(const Napi::Function& on_ring);
  void keep_alive(bool alive) { keep_loop_alive(doorbell_, alive); }
  u32 doorbell() const { return doorbell_; }

  // This thread's area for blocks of cells, in each queue; kNoBlockArea if all were taken when it was first asked for.
  u32 block_area();

  // Names this thread among the putters that take turns; never 0.
  u32 putter() const { return putter_; }

  void add(SharedObject& object);
  void remove(SharedObject& object);

  NativeHandles& native_handles() { return native_handles_; }
  bool ended() const { return ended_; }

  void attached(u32 source);
  SourceCounts detach(u32 source);

 private:
  explicit Environment(Napi::Env env);
  void rung();
  void end(napi_async_cleanup_hook_handle hook);

  const napi_env env_;
  const u32 putter_;
  Napi::Reference<Napi::Uint8Array> scratch_reference_;
  void* scratch_ = nullptr;
  u32 scratch_bytes_ = 0;
  Napi::FunctionReference probe_;
  Napi::FunctionReference on_ring_;
  std::unique_ptr<Napi::AsyncContext> ring_context_;
  u32 doorbell_ = kNoDoorbell;
  std::optional<u32> block_area_;
  SharedObject* first_object_ = nullptr;
  NativeHandles native_handles_;
  std::unique_ptr<bool[]> sources_;
  bool ended_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace threadsafe
