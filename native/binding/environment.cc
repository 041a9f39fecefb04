#include "environment.h"

#include <algorithm>

#include "../platform/putter.h"
#include "object.h"

namespace threadsafe {

Environment::Environment(Napi::Env env) : env_(env), putter_(next_putter()) {}

void Environment::create(Napi::Env env) {
  auto* const holder = new std::shared_ptr<Environment>(new Environment(env));
  Environment& environment = **holder;
  environment.sources_ = std::make_unique<bool[]>(kMaxSources);
  env.SetInstanceData<std::shared_ptr<Environment>>(holder);
  napi_add_async_cleanup_hook(
      env, [](napi_async_cleanup_hook_handle hook, void* data) { static_cast<Environment*>(data)->end(hook); }, &environment,
      &environment.hook_);
}

Environment& Environment::of(Napi::Env env) { return **env.GetInstanceData<std::shared_ptr<Environment>>(); }

void Environment::set_scratch(Napi::Uint8Array view) {
  scratch_reference_ = Napi::Persistent(view);
  scratch_ = view.Data();
  scratch_bytes_ = static_cast<u32>(std::min<std::size_t>(view.ByteLength(), ~u32{0}));
}

// Node stops an isolate by refusing it JavaScript; it can't stop a thread that sleeps in our condition variable. So a blocked
// thread asks. What the failed call leaves pending unwinds the caller's JavaScript.
bool Environment::interrupted() {
  const Napi::HandleScope scope(env_);
  napi_value receiver, result;
  napi_get_undefined(env_, &receiver);
  return napi_call_function(env_, receiver, probe_.Value(), 0, nullptr, &result) != napi_ok;
}

bool Environment::open_doorbell(const Napi::Function& on_ring) {
  if (doorbell_ != kNoDoorbell) return true;
  uv_loop_t* loop;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return false;
  doorbell_ = threadsafe::open_doorbell(loop, [](void* data) { static_cast<Environment*>(data)->rung(); }, this);
  if (doorbell_ == kNoDoorbell) return false;
  on_ring_ = Napi::Persistent(on_ring);
  ring_context_ = std::make_unique<Napi::AsyncContext>(env_, "threadsafe");
  return true;
}

u32 Environment::block_area() {
  if (!block_area_) block_area_ = take_block_area();
  return *block_area_;
}

void Environment::rung() {
  const Napi::HandleScope scope(env_);
  native_handles_.sweep();
  napi_value receiver, error;
  // Not an undefined receiver: a callback into JavaScript from the loop needs an object, whose context it runs in.
  napi_get_global(env_, &receiver);
  const napi_status status = napi_make_callback(env_, *ring_context_, receiver, on_ring_.Value(), 0, nullptr, nullptr);
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
}

void Environment::add(SharedObject& object) {
  object.next = first_object_;
  object.previous = nullptr;
  if (first_object_) first_object_->previous = &object;
  first_object_ = &object;
}

void Environment::remove(SharedObject& object) {
  (object.previous ? object.previous->next : first_object_) = object.next;
  if (object.next) object.next->previous = object.previous;
}

void Environment::attached(u32 source) { sources_[source] = true; }

SourceCounts Environment::detach(u32 source) {
  sources_[source] = false;
  return detach_source(source);
}

// The isolate ends, at whatever moment it was stopped. Its sources and what native code has opened go first, as they use memory that it may
// be the last to hold. Then each object it had open loses its announcements and gets the wake that this thread may have owed: it can have
// been stopped between a change and the wake for it.
void Environment::end(napi_async_cleanup_hook_handle hook) {
  for (u32 source = 0; source < kMaxSources; source++) {
    if (sources_[source]) detach(source);
  }
  ended_ = true;
  native_handles_.end();
  if (block_area_.value_or(kNoBlockArea) != kNoBlockArea) give_back_block_area(*block_area_);
  {
    const Napi::HandleScope scope(env_);
    for (SharedObject* object = first_object_; object; object = object->next) object->abandon();
  }
  scratch_reference_.Reset();
  probe_.Reset();
  on_ring_.Reset();
  ring_context_.reset();
  if (doorbell_ == kNoDoorbell) {
    napi_remove_async_cleanup_hook(hook);
    return;
  }
  close_doorbell(doorbell_, [](void* hook) { napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(hook)); }, hook);
}

}  // namespace threadsafe
