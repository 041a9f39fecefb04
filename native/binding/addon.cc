// The addon: what one isolate gets when it loads it.
#include <napi.h>

#include <chrono>
#include <thread>

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

// (whether this is a worker)
void is_nodes(const Napi::CallbackInfo& info) { Environment::of(info.Env()).is_nodes(info[0].As<Napi::Boolean>().Value()); }

Listener& listener_of(const Napi::Value& value) { return *value.As<Napi::External<Listener>>().Data(); }

double number_of(const Napi::Value& value) { return value.As<Napi::Number>().DoubleValue(); }

// (function, arrays of Listener::Shared): a listener. Its function is called without an argument on
// each ring, and with the numbers of the calls that are due. Undefined if all doorbells are in use
Napi::Value listen(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  if (!environment.loop().open(info.Env())) return info.Env().Undefined();
  const Listener::Shared shared{info[1].As<Napi::Int32Array>(), info[2].As<Napi::Float64Array>()};
  return owner_of(info.Env(), std::make_unique<Listener>(environment.shared_from_this(), info[0].As<Napi::Function>(), shared));
}

// (listener, whether its calls keep the loop alive, whether there are any)
Napi::Value keep(const Napi::CallbackInfo& info) {
  listener_of(info[0]).keep(info[1].As<Napi::Boolean>().Value(), info[2].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

// (listener, number of the call, milliseconds): the time, for clear_deadline
Napi::Value set_deadline(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), listener_of(info[0]).set_deadline(number_of(info[1]), number_of(info[2])));
}

// (listener, number of the call, its time)
Napi::Value clear_deadline(const Napi::CallbackInfo& info) {
  listener_of(info[0]).clear_deadline(number_of(info[1]), number_of(info[2]));
  return info.Env().Undefined();
}

// (): see Loop::look(). Straight through Node-API, as it is called every few calls.
napi_value look(napi_env env, napi_callback_info info) {
  void* environment = nullptr;
  napi_value calls = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &environment);
  napi_create_uint32(env, static_cast<Environment*>(environment)->loop().look(), &calls);
  return calls;
}

// (): milliseconds of a monotonic clock
Napi::Value now(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(uv_hrtime()) / 1e6); }

// (view of a memory): where it lies, which is the same in every isolate
Napi::Value address(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<std::uintptr_t>(view.Data())));
}

// (object): a weak reference. A WeakRef keeps its object until the current job ends, so it would
// keep everything that a synchronous loop creates and drops.
Napi::Value weak(const Napi::CallbackInfo& info) {
  return owner_of(info.Env(), std::make_unique<Napi::ObjectReference>(Napi::Weak(info[0].As<Napi::Object>())));
}

// (such a reference): the object, or undefined if it is gone
Napi::Value target(const Napi::CallbackInfo& info) {
  const Napi::Object object = info[0].As<Napi::External<Napi::ObjectReference>>().Data()->Value();
  return object.IsEmpty() ? info.Env().Undefined() : Napi::Value(object);
}

// Makes all isolates collect garbage.
void collect_everywhere(const Napi::CallbackInfo& info) { Environment::of(info.Env()).collect_everywhere(); }

// (milliseconds): blocks this thread
void sleep(const Napi::CallbackInfo& info) { std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(number_of(info[0]))); }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  pin_library();
  Environment::create(env);
  exports["scratchBuffer"] = Napi::Function::New<scratch_buffer>(env, "scratchBuffer");
  exports["setProbe"] = Napi::Function::New<set_probe>(env, "setProbe");
  exports["isNodes"] = Napi::Function::New<is_nodes>(env, "isNodes");
  exports["listen"] = Napi::Function::New<listen>(env, "listen");
  exports["keep"] = Napi::Function::New<keep>(env, "keep");
  exports["setDeadline"] = Napi::Function::New<set_deadline>(env, "setDeadline");
  exports["clearDeadline"] = Napi::Function::New<clear_deadline>(env, "clearDeadline");
  exports["now"] = Napi::Function::New<now>(env, "now");
  napi_value look_function = nullptr;
  napi_create_function(env, "look", NAPI_AUTO_LENGTH, look, &Environment::of(env), &look_function);
  exports["look"] = Napi::Value(env, look_function);
  exports["collectEverywhere"] = Napi::Function::New<collect_everywhere>(env, "collectEverywhere");
  exports["sleep"] = Napi::Function::New<sleep>(env, "sleep");
  exports["threadNumber"] = Napi::Number::New(env, Environment::of(env).thread_number());
  exports["kept"] = Environment::of(env).kept();
  exports["weak"] = Napi::Function::New<weak>(env, "weak");
  exports["target"] = Napi::Function::New<target>(env, "target");
  exports["address"] = Napi::Function::New<address>(env, "address");
  export_constants(env, exports);
  export_queue(env, exports);
  export_event(env, exports);
  export_record(env, exports);
  export_lock(env, exports);
  export_pool(env, exports);
  export_select(env, exports);
  export_signals(env, exports);
  export_native_code(env, exports);
  return exports;
}

NODE_API_MODULE(threadsafe, init)

}  // namespace
}  // namespace threadsafe
