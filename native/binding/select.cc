// Blocking until one of several queues, events and messages is ready, for lib/select.ts.
#include "../core/select.h"

#include <vector>

#include "binding.h"
#include "object.h"

namespace threadsafe {
namespace {

struct Source {
  SharedObject* object;
  u64 since;

  WaitList& list() const { return object->get_list(); }
  bool ready() const { return object->ready(since); }
  void pass_on() const { object->pass_on(); }
};

// (objects, each once; for each event its word when the wait began, for each message the version that
// a later one is waited for; timeout): returns ok when one of them is ready, or probably was just now;
// else timeout or interrupted.
Napi::Value select_blocking(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const Napi::Value interrupted = Napi::Number::New(env, static_cast<u32>(Status::interrupted));
  u32 count;
  if (!length_of(env, info[0], count)) return interrupted;
  const Deadline deadline = Deadline::after(info[2].As<Napi::Number>().DoubleValue());
  std::vector<Source> sources;
  std::vector<Place> places;
  for (u32 k = 0; k < count; k++) {
    napi_value value, word;
    if (!element_of(env, info[0], k, value) || !element_of(env, info[1], k, word)) return interrupted;
    SharedObject* const object = Napi::External<SharedObject>(env, value).Data();
    object->keep_memory();
    sources.push_back({object, static_cast<u64>(Napi::Number(env, word).Int64Value())});
    places.emplace_back(object->get_list());
  }
  Environment& environment = Environment::of(env);
  StopCheck stops([&] { return environment.interrupted(); }, environment.stop_intervals());
  ThreadParker waiting(places, deadline, stops);
  return Napi::Number::New(info.Env(), static_cast<u32>(wait_any(sources, waiting)));
}

}  // namespace

void export_select(Napi::Env env, Napi::Object exports) {
  exports["selectBlocking"] = Napi::Function::New<select_blocking>(env, "selectBlocking");
}

}  // namespace threadsafe
