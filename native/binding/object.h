// A shared object that this isolate has open. JavaScript holds it as an external value, which
// is the first argument of all functions but one: reading that is quick, where unwrapping a
// receiver costs more than the whole call, and functions bound to each object make creating it
// slow. The exception is `wake`, which WebAssembly calls with nothing but a number.
#pragma once

#include <napi.h>

#include <algorithm>
#include <optional>

#include "../platform/parking.h"
#include "../platform/wakes.h"
#include "binding.h"
#include "environment.h"

namespace threadsafe {

using ThreadWake = WakeBy<ThreadWaker>;

// A queue in shared memory. JavaScript may have made up that memory, and may write over it later:
// so the geometry was checked against the memory's size, and is a copy.
struct FoundQueue {
  QueueHeader* header;
  Geometry geometry;
};

// A record or a message likewise.
struct FoundSnapshot {
  SnapshotHeader* header;
  SnapshotGeometry geometry;
  Kind kind;
};

// The same of a pool.
struct FoundPool {
  PoolHeader* header;
  PoolGeometry geometry;
};

// Makes zeroed memory an object of that kind.
template <class ObjectHeader>
ObjectHeader& make_object(Napi::Uint8Array view, Kind kind) {
  auto& header = *reinterpret_cast<ObjectHeader*>(view.Data() + kOrigin);
  header.object = {kMagic, kLayoutVersion, kind, doorbell_table_id()};
  return header;
}

// Returns the object in the memory of which `view` shows the whole. Null unless it is of this kind,
// this layout and this copy of the addon, and lies within that memory.
template <class ObjectHeader>
ObjectHeader* object_in(Napi::Uint8Array view, Kind kind) {
  if (view.ByteLength() < kOrigin + sizeof(ObjectHeader)) return nullptr;
  auto* const header = reinterpret_cast<ObjectHeader*>(view.Data() + kOrigin);
  const Header& object = header->object;
  const bool known = object.magic == kMagic && object.version == kLayoutVersion && object.owner == doorbell_table_id();
  return known && object.kind == kind ? header : nullptr;
}

std::optional<FoundQueue> queue_in(Napi::Uint8Array view);
std::optional<FoundSnapshot> snapshot_in(Napi::Uint8Array view, Kind kind);
EventHeader* event_in(Napi::Uint8Array view);
LockHeader* lock_in(Napi::Uint8Array view);
std::optional<FoundPool> pool_in(Napi::Uint8Array view);

// Where a message passes between JavaScript and the slots: the environment's scratch buffer. Or, if
// a Uint8Array comes with the call as its last argument: there, all but the head, which is in the
// scratch buffer. Its size is asked for at each call, as JavaScript may have detached it.
class Passage {
 public:
  Passage(const Environment& environment, ElementType type, const Napi::CallbackInfo& info, std::size_t argument)
      : scratch_(environment.scratch()), in_scratch_(kScratchBytes) {
    if (info.Length() <= argument) return;
    void* data = nullptr;
    std::size_t bytes = 0;
    if (napi_get_typedarray_info(info.Env(), info[argument], nullptr, &bytes, &data, nullptr, nullptr) != napi_ok) return;
    body_ = static_cast<std::byte*>(data);
    body_bytes_ = static_cast<u32>(std::min<std::size_t>(bytes, ~u32{0} - kHeadBytes));
    in_scratch_ = head_bytes(type);
  }

  // The longest message that it has room for.
  u32 limit() const { return in_scratch_ + body_bytes_; }

  template <class Slots>
  void copy_in(const Slots& slots, const Span& span) const {
    each_part(span, [&](std::size_t at, std::byte* part, std::size_t bytes) { slots.copy_in(span, at, part, bytes); });
  }

  template <class Slots>
  void copy_out(const Slots& slots, const Span& span) const {
    each_part(span, [&](std::size_t at, std::byte* part, std::size_t bytes) { slots.copy_out(span, at, part, bytes); });
  }

  template <class Slots>
  void copy_out_unclaimed(const Slots& slots, const Span& span) const {
    each_part(span, [&](std::size_t at, std::byte* part, std::size_t bytes) { slots.copy_out_unclaimed(span, at, part, bytes); });
  }

 private:
  template <class Copy>
  void each_part(const Span& span, Copy&& copy) const {
    const std::size_t first = std::min(span.bytes, in_scratch_);
    if (first > 0) copy(0, scratch_, first);
    if (first < span.bytes) copy(first, body_, span.bytes - first);
  }

  std::byte* const scratch_;
  std::byte* body_ = nullptr;
  u32 body_bytes_ = 0;
  u32 in_scratch_;
};

class SharedObject {
 public:
  virtual ~SharedObject() { environment_->remove(*this); }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  // Returns false once JavaScript's view has been collected, as then the memory may be gone. Call
  // it within a handle scope.
  bool has_memory() const { return !view_.Value().IsEmpty(); }

  // Called as the isolate ends. Does nothing if the memory has gone before it.
  void abandon();

  // Keeps the memory until the call of JavaScript that this is part of returns. For calls that
  // block: as they ask whether the isolate is being stopped, V8 may collect garbage, and an
  // optimized caller has already forgotten the objects that it does not use after the call.
  void keep_memory() const { view_.Value(); }  // a handle in the call's scope

  // As a source of wait_any() in core/select.h, for a get or a wait: `since` is an event's word
  // when the wait began, or the version that a later one is waited for; of no use to a queue.
  virtual WaitList& get_list() = 0;
  virtual bool ready(u64 since) = 0;
  virtual void pass_on() = 0;

  SharedObject* previous;
  SharedObject* next;

 protected:
  SharedObject(Environment& environment, Napi::Uint8Array view) : environment_(environment.shared_from_this()), view_(Napi::Weak(view)) {
    environment.add(*this);
  }

  // Withdraws this isolate's announcements, and wakes whom its last change should have woken.
  virtual void withdraw_and_wake() = 0;

  Environment& environment() const { return *environment_; }

  // Returns { object, wake, view }. `self` ends when JavaScript drops `object`. JavaScript must
  // hold the view as long as the object: once the view is gone, the memory may be.
  template <auto wake, class Self>
  static Napi::Object opened(Napi::Env env, Self* self) {
    Napi::Object result = Napi::Object::New(env);
    result["view"] = self->view_.Value();
    // Owned as the base class, as a select takes objects of any kind.
    const Napi::Value owner = owner_of(env, std::unique_ptr<SharedObject>(self));
    if (owner.IsEmpty()) return result;
    result["object"] = owner;
    result["wake"] = Napi::Function::New<&SharedObject::call_bound<Self, wake>>(env, "wake", self);
    return result;
  }

  // A JavaScript function that calls this method on the object that is its first argument.
  template <class Self, auto method>
  static Napi::Function function(Napi::Env env, const char* name) {
    return Napi::Function::New<&SharedObject::call<Self, method>>(env, name);
  }

  // The argument that every blocking call has: milliseconds, Infinity for ever.
  static Deadline deadline(const Napi::Value& timeout) { return Deadline::after(timeout.As<Napi::Number>().DoubleValue()); }

  // For calls that wait, if only for another's copy. Asking may collect garbage, so this keeps the
  // memory.
  auto stop_check() {
    const auto interrupted = [this] {
      keep_memory();
      return environment_->interrupted();
    };
    return StopCheck(interrupted, environment_->stop_intervals());
  }

 private:
  template <class Self, auto method>
  static Napi::Value call(const Napi::CallbackInfo& info) {
    return (static_cast<Self*>(info[0].As<Napi::External<SharedObject>>().Data())->*method)(info);
  }

  template <class Self, auto method>
  static Napi::Value call_bound(const Napi::CallbackInfo& info) {
    return (static_cast<Self*>(info.Data())->*method)(info);
  }

  const std::shared_ptr<Environment> environment_;
  Napi::Reference<Napi::Uint8Array> view_;
};

}  // namespace threadsafe
