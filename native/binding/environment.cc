#include "environment.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "../platform/process_wide.h"
#include "../platform/thread_number.h"
#include "object.h"

namespace threadsafe {

template <u32 version>
struct THREADSAFE_PROCESS_WIDE Memories {
  // The number of objects that are open, in all isolates: an upper bound of the memories that are
  // reserved. There is room for some 12,800.
  // Relaxed: a count, which orders nothing.
  static constinit inline std::atomic<u32> objects_open{0};
  // How often collect_everywhere() has been called. Relaxed: the ring and take_rung() order it.
  static constinit inline std::atomic<u32> collections{0};
};

namespace {

constexpr auto& objects_open = Memories<kProcessVersion>::objects_open;
constexpr auto& collections = Memories<kProcessVersion>::collections;

// From this many open objects on, each isolate collects garbage after it has opened
// kOpenedPerCollection more, or as many as it keeps, if that is more.
constexpr u32 kManyObjects = 4096;
constexpr u32 kOpenedPerCollection = 256;

// V8 collects when it is told of much more memory outside its heap than at its last collection. 64
// MiB more make it begin a collection beside the program; more than its heap may have make it
// collect at once.
constexpr std::int64_t kMuchMemory = std::int64_t{65} << 20;
constexpr std::int64_t kTooMuchMemory = std::int64_t{1} << 40;

void pretend_to_use(napi_env env, std::int64_t bytes) {
  std::int64_t all;
  napi_adjust_external_memory(env, bytes, &all);
  napi_adjust_external_memory(env, -bytes, &all);
}

}  // namespace

Environment::Environment(Napi::Env env)
    : env_(env), thread_number_(next_thread_number()), loop_(*this), collect_after_(kOpenedPerCollection) {}

void Environment::create(Napi::Env env) {
  auto* const holder = new std::shared_ptr<Environment>(new Environment(env));
  Environment& environment = **holder;
  env.SetInstanceData<std::shared_ptr<Environment>>(holder);
  napi_add_async_cleanup_hook(
      env, [](napi_async_cleanup_hook_handle hook, void* data) { static_cast<Environment*>(data)->end(hook); }, &environment,
      &environment.hook_);
}

Environment& Environment::of(Napi::Env env) { return **env.GetInstanceData<std::shared_ptr<Environment>>(); }

Napi::Value Environment::scratch_buffer() {
  if (scratch_buffer_.IsEmpty()) {
    // JavaScript may keep the buffer longer than this object lives.
    auto owner = std::make_unique<std::shared_ptr<std::byte[]>>(scratch_);
    const auto buffer = Napi::ArrayBuffer::New(
        env_, scratch_.get(), kScratchBytes, [](Napi::Env, void*, std::shared_ptr<std::byte[]>* owner) { delete owner; }, owner.get());
    if (!buffer.IsEmpty()) owner.release();  // else Node has refused it, as this isolate is being stopped
    scratch_buffer_ = Napi::Persistent(buffer);
  }
  return scratch_buffer_.Value();
}

// Node stops an isolate by refusing to run its JavaScript. It can't stop a thread that sleeps in
// our condition variable, so a blocked thread asks. The failed call leaves a termination pending,
// which unwinds the caller's JavaScript.
bool Environment::interrupted() {
  const Napi::HandleScope scope(env_);
  napi_value receiver, result;
  napi_get_undefined(env_, &receiver);
  return napi_call_function(env_, receiver, probe_.Value(), 0, nullptr, &result) != napi_ok;
}

// Node throws what the failed call has left when a function of this addon returns. None is running
// here, so it would come out of some later call, which then fails although it has taken an item. An
// error means that there was no stack left for the probe: a stop leaves no error.
bool Environment::native_code_interrupted() {
  if (!interrupted()) return false;
  const Napi::HandleScope scope(env_);
  napi_value left;
  bool is_error = false;
  return napi_get_and_clear_last_exception(env_, &left) != napi_ok || napi_is_error(env_, left, &is_error) != napi_ok || !is_error;
}

void Environment::is_nodes(bool is_worker) {
  loop_.is_libuvs();
  // In the main thread the question comes early enough that the warning of lib/wait/blocking.ts
  // appears while the call still blocks.
  constexpr double kEighth = 0.125;
  uv_loop_t* loop;
  if (!is_worker) {
    stop_intervals_.blind = kEighth;
  } else if (napi_get_uv_event_loop(env_, &loop) == napi_ok) {
    stop_intervals_.loop = uv_backend_fd(loop);
  }
}

StopIntervals Environment::stop_intervals(Clock::duration longest) const {
  StopIntervals intervals = stop_intervals_;
  intervals.longest = std::min(intervals.longest, longest);
  return intervals;
}

u32 Environment::staging_area() {
  if (!staging_area_) staging_area_ = take_staging_area();
  return *staging_area_;
}

// The number of its objects that are not collected. Objects may be gone long before their
// finalizers run.
u32 Environment::memories() const {
  u32 count = 0;
  for (const SharedObject* object = first_object_; object; object = object->next) {
    const Napi::HandleScope scope(env_);
    if (object->has_memory()) count++;
  }
  return count;
}

void Environment::collect_soon() {
  // Objects that survived the last collection will probably survive this one, so it would be
  // useless for them alone.
  const u32 all = memories();
  collect_after_ = std::max(kOpenedPerCollection, all - std::min(all, opened_));
  opened_ = 0;
  pretend_to_use(env_, kMuchMemory);
}

// Collects if another thread has asked for a collection.
void Environment::collect_if_asked() {
  if (collected_ != collections.load(std::memory_order_relaxed)) collect_now();
}

void Environment::collect_now() {
  collected_ = collections.load(std::memory_order_relaxed);
  opened_ = 0;
  pretend_to_use(env_, kTooMuchMemory);
}

void Environment::collect_everywhere() {
  collections.fetch_add(1, std::memory_order_relaxed);  // a ring orders this, so whoever is rung sees it
  for (u32 doorbell = 0; doorbell < kMaxLoops; doorbell++) ring_doorbell(doorbell);
  collect_now();
}

void Environment::add(SharedObject& object) {
  if (objects_open.fetch_add(1, std::memory_order_relaxed) >= kManyObjects) {
    loop_.open(env_);  // others ask for a collection by its doorbell
    if (++opened_ >= collect_after_) collect_soon();
  }
  object.next = first_object_;
  object.previous = nullptr;
  if (first_object_) first_object_->previous = &object;
  first_object_ = &object;
}

void Environment::remove(SharedObject& object) {
  objects_open.fetch_sub(1, std::memory_order_relaxed);
  (object.previous ? object.previous->next : first_object_) = object.next;
  if (object.next) object.next->previous = object.previous;
}

void Environment::attached(u32 source, SourceMemory memory) { sources_[source] = std::move(memory); }

SourceCounts Environment::detach(u32 source) {
  const SourceCounts last = detach_source(source);
  sources_.erase(source);
  return last;
}

// Called when the isolate ends, at whatever moment it was stopped. Its sources and native handles
// go first, as they use memory that the isolate may be the last to hold. Then each object it had
// open loses its announcements, and gets the wake that this thread may have owed, since it can have
// been stopped between a change and its wake.
void Environment::end(napi_async_cleanup_hook_handle hook) {
  {
    const Napi::HandleScope scope(env_);
    while (!sources_.empty()) detach(sources_.begin()->first);
  }
  ended_ = true;
  {
    const Napi::HandleScope scope(env_);
    native_handles_.end(thread_number_);
  }
  if (staging_area_.value_or(kNoStagingArea) != kNoStagingArea) give_back_staging_area(*staging_area_);
  {
    const Napi::HandleScope scope(env_);
    for (SharedObject* object = first_object_; object; object = object->next) object->abandon();
  }
  scratch_buffer_.Reset();
  probe_.Reset();
  kept_.Reset();
  loop_.end([](void* hook) { napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(hook)); }, hook);
}

}  // namespace threadsafe
