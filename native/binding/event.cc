// The event's functions for lib/event.ts.
#include "../core/event.h"

#include "binding.h"
#include "object.h"

namespace threadsafe {
namespace {

class EventObject final : public SharedObject {
 public:
  // { object, wake }
  static Napi::Object open(Napi::Env env, Napi::Uint8Array view, EventHeader& header) {
    return opened<&EventObject::wake>(env, new EventObject(env, view, header));
  }

  // The functions that take such an object.
  static Napi::Object functions(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["waitBlocking"] = function<EventObject, &EventObject::wait_blocking>(env, "waitBlocking");
    object["announce"] = function<EventObject, &EventObject::announce>(env, "announce");
    return object;
  }

 private:
  EventObject(Napi::Env env, Napi::Uint8Array view, EventHeader& header)
      : SharedObject(Environment::of(env), view), header_(header), event_(header, ThreadWake{}) {}

  WaitList& get_list() override { return header_.waiters; }
  bool ready(u64 since) override { return Event<ThreadWake>::done(since, event_.word()); }
  void pass_on() override {}  // a set wakes all

  void withdraw_and_wake() override {
    if (environment().doorbell() != kNoDoorbell) take_loop(header_.waiters, environment().doorbell());
    ThreadWake{}.all(header_.waiters);
  }

  Napi::Value wake(const Napi::CallbackInfo& info) {
    ThreadWake{}.all(header_.waiters);
    return info.Env().Undefined();
  }

  // (timeout)
  Napi::Value wait_blocking(const Napi::CallbackInfo& info) {
    keep_memory();
    auto stops = stop_check();
    ThreadParker waiting(header_.waiters, deadline(info[1]), stops);
    return Napi::Number::New(info.Env(), static_cast<u32>(event_.wait(waiting)));
  }

  Napi::Value announce(const Napi::CallbackInfo& info) {
    announce_loop(header_.waiters, environment().doorbell());
    return info.Env().Undefined();
  }

  EventHeader& header_;
  Event<ThreadWake> event_;
};

// (view): makes zeroed memory an event.
Napi::Value init_event(const Napi::CallbackInfo& info) {
  make_object<EventHeader>(info[0].As<Napi::Uint8Array>(), Kind::event);
  return info.Env().Undefined();
}

// (view): the event in that memory, or undefined.
Napi::Value open_event(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  EventHeader* const header = event_in(view);
  if (!header) return info.Env().Undefined();
  return EventObject::open(info.Env(), view, *header);
}

}  // namespace

void export_event(Napi::Env env, Napi::Object exports) {
  exports["event"] = EventObject::functions(env);
  exports["initEvent"] = Napi::Function::New<init_event>(env, "initEvent");
  exports["openEvent"] = Napi::Function::New<open_event>(env, "openEvent");
}

}  // namespace threadsafe
