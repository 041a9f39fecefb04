// A queue or an event that this isolate has open. Its methods are functions bound to it by their data pointer, since unwrapping a
// receiver costs more than the whole call; lib/core.ts holds them, the memory and the object itself together.
#pragma once

#include <napi.h>

#include "../platform/parking.h"
#include "../platform/wakes.h"
#include "environment.h"

namespace threadsafe {

using ThreadWake = WakeBy<ThreadWaker>;

class SharedObject {
 public:
  // `view` is a Uint8Array of the whole memory; null unless that is an object of this kind, this layout and this copy of the addon.
  static Header* header_in(Napi::Uint8Array view, Kind kind);

  virtual ~SharedObject() { environment_->remove(*this); }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  // Called as the isolate ends: does nothing if the memory has gone before it.
  void abandon();

  SharedObject* previous;
  SharedObject* next;

 protected:
  SharedObject(Environment& environment, Napi::Uint8Array view) : environment_(environment.shared_from_this()), view_(Napi::Weak(view)) {
    environment.add(*this);
  }

  // Takes back what this isolate has announced, and wakes whom its last change should have woken.
  virtual void withdraw_and_wake() = 0;

  Environment& environment() const { return *environment_; }

  // A function of JavaScript that calls this method of `self`.
  template <auto method, class Self>
  static Napi::Function bound(Napi::Env env, const char* name, Self* self) {
    return Napi::Function::New<&SharedObject::call<Self, method>>(env, name, self);
  }

  // The object that JavaScript holds instead of `self`, which ends with it.
  template <class Self>
  static Napi::Object owner_of(Napi::Env env, Self* self) {
    Napi::Object object = Napi::Object::New(env);
    object.AddFinalizer([](Napi::Env, Self* self) { delete self; }, self);
    return object;
  }

  // The argument that every blocking call has: milliseconds, Infinity for ever.
  static Deadline deadline(const Napi::Value& timeout) { return Deadline::after(timeout.As<Napi::Number>().DoubleValue()); }

  auto parker(const WaitList& list, const Napi::Value& timeout) {
    return ThreadParker(list, deadline(timeout), [this] { return environment_->interrupted(); });
  }

 private:
  template <class Self, auto method>
  static Napi::Value call(const Napi::CallbackInfo& info) {
    return (static_cast<Self*>(info.Data())->*method)(info);
  }

  const std::shared_ptr<Environment> environment_;
  Napi::Reference<Napi::Uint8Array> view_;
};

}  // namespace threadsafe
