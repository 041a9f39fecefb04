// The addon: what one isolate gets when it loads it.
#include <napi.h>

#include "../platform/pin.h"
#include "binding.h"
#include "environment.h"

namespace threadsafe {
namespace {

// The ArrayBuffer that this thread's messages pass through.
Napi::Value scratch_buffer(const Napi::CallbackInfo& info) { return Environment::of(info.Env()).scratch_buffer(); }

// (function that does nothing)
Napi::Value set_probe(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).set_probe(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

// (function to call on each ring): false when no doorbell is to be had
Napi::Value open_doorbell(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).open_doorbell(info[0].As<Napi::Function>()));
}

// (view of a memory): where it lies, which is the same in every isolate
Napi::Value address(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<std::uintptr_t>(view.Data())));
}

// (object): a reference that does not keep it. A WeakRef does, until the current job ends: it would keep what a synchronous loop creates
// and drops.
Napi::Value weak(const Napi::CallbackInfo& info) {
  auto* const reference = new Napi::ObjectReference(Napi::Weak(info[0].As<Napi::Object>()));
  return Napi::External<Napi::ObjectReference>::New(info.Env(), reference,
                                                    [](Napi::Env, Napi::ObjectReference* reference) { delete reference; });
}

// (such a reference): the object, or undefined if it is gone
Napi::Value target(const Napi::CallbackInfo& info) {
  const Napi::Object object = info[0].As<Napi::External<Napi::ObjectReference>>().Data()->Value();
  return object.IsEmpty() ? info.Env().Undefined() : Napi::Value(object);
}

// Asks all isolates to collect what they do not use any more.
void collect_everywhere(const Napi::CallbackInfo& info) { Environment::of(info.Env()).collect_everywhere(); }

// (boolean); only with an open doorbell
Napi::Value keep_alive(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).keep_alive(info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  pin_library();
  Environment::create(env);
  exports["scratchBuffer"] = Napi::Function::New<scratch_buffer>(env, "scratchBuffer");
  exports["setProbe"] = Napi::Function::New<set_probe>(env, "setProbe");
  exports["openDoorbell"] = Napi::Function::New<open_doorbell>(env, "openDoorbell");
  exports["collectEverywhere"] = Napi::Function::New<collect_everywhere>(env, "collectEverywhere");
  exports["keepAlive"] = Napi::Function::New<keep_alive>(env, "keepAlive");
  exports["weak"] = Napi::Function::New<weak>(env, "weak");
  exports["target"] = Napi::Function::New<target>(env, "target");
  exports["address"] = Napi::Function::New<address>(env, "address");
  export_constants(env, exports);
  export_queue(env, exports);
  export_event(env, exports);
  export_select(env, exports);
  export_signals(env, exports);
  export_native_code(env, exports);
  return exports;
}

NODE_API_MODULE(threadsafe, init)

}  // namespace
}  // namespace threadsafe
