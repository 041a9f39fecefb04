// Signal sources for lib/signals. Functions that fail return a negated errno, which is
// never the number of a source.
#include "../platform/signals.h"

#include <cerrno>
#include <utility>

#include "binding.h"
#include "environment.h"
#include "object.h"

namespace threadsafe {
namespace {

// lib/signals has checked that the target is an event, or a queue, a record or
// a message of signalInfo. Its memory may have been written over since; then it is none of them.
SignalTarget target_in(const Napi::Value& view) {
  auto bytes = view.As<Napi::Uint8Array>();
  const std::optional<FoundQueue> queue = queue_in(bytes);
  if (queue && queue->geometry.item_bytes == sizeof(SignalInfo)) return {queue->header, queue->geometry};
  for (const Kind kind : {Kind::record, Kind::message}) {
    const std::optional<FoundSnapshot> found = snapshot_in(bytes, kind);
    if (found && found->geometry.bytes == sizeof(SignalInfo)) return {found->header, found->geometry, kind == Kind::message};
  }
  return {nullptr, event_in(bytes)};
}

bool is_nothing(const SignalTarget& target) { return !target.queue && !target.event && !target.record; }

int signo_of(const Napi::CallbackInfo& info) { return info[0].As<Napi::Number>().Int32Value(); }

// Keeps the views that the call was given, as they hold the memory that its source needs. By
// references, as Node refuses to put them into an array if the isolate is being stopped.
Napi::Value result(const Napi::CallbackInfo& info, Attached attached) {
  if (attached.error != 0) return Napi::Number::New(info.Env(), -attached.error);
  const auto keep = [&](int argument) { return Napi::Persistent(info[argument].As<Napi::Object>()); };
  Environment::SourceMemory memory{keep(1), {}};
  if (info[4].IsObject()) memory.heartbeat = keep(4);
  Environment::of(info.Env()).attached(attached.source, std::move(memory));
  return Napi::Number::New(info.Env(), attached.source);
}

// (signo, view of the target's memory)
Napi::Value attach(const Napi::CallbackInfo& info) {
  const SignalTarget target = target_in(info[1]);
  if (is_nothing(target)) return result(info, {0, EINVAL});
  return result(info, attach_signal(signo_of(info), target));
}

// (signo, view of the target's memory, interval in nanoseconds, in this thread, view of the
// heartbeat or undefined, its limit in nanoseconds)
Napi::Value attach_interval(const Napi::CallbackInfo& info) {
  const auto nanoseconds = [&](int argument) { return static_cast<u64>(info[argument].As<Napi::Number>().DoubleValue()); };
  const SignalTarget target = target_in(info[1]);
  if (is_nothing(target)) return result(info, {0, EINVAL});
  TimerSettings timer{nanoseconds(2), info[3].As<Napi::Boolean>().Value(), {}};
  if (!info[4].IsUndefined()) {
    timer.heartbeat = {reinterpret_cast<const Atomic<u64>*>(info[4].As<Napi::Uint8Array>().Data()), nanoseconds(5)};
  }
  return result(info, attach_timer(signo_of(info), timer, target));
}

void follow(const Napi::CallbackInfo&) { follow_libuv(); }

// (signo)
void will_listen(const Napi::CallbackInfo& info) { libuv_will_change(signo_of(info)); }

// (signo, whether process.on() listens to it)
void has_listened(const Napi::CallbackInfo& info) { libuv_has_changed(signo_of(info), info[1].As<Napi::Boolean>().Value()); }

// (signo)
Napi::Value installed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), is_installed(signo_of(info))); }

u32 source_of(const Napi::CallbackInfo& info) { return info[0].As<Napi::Number>().Uint32Value(); }

Napi::Value object_of(const Napi::CallbackInfo& info, SourceCounts counts) {
  Napi::Object object = Napi::Object::New(info.Env());
  object["delivered"] = Napi::Number::New(info.Env(), counts.delivered);
  object["dropped"] = Napi::Number::New(info.Env(), counts.dropped);
  return object;
}

// (source): detaches it; returns its final counts
Napi::Value detach(const Napi::CallbackInfo& info) { return object_of(info, Environment::of(info.Env()).detach(source_of(info))); }

// (source)
Napi::Value counts(const Napi::CallbackInfo& info) { return object_of(info, source_counts(source_of(info))); }

// (pid, signo, value or undefined): 0 or errno
Napi::Value send(const Napi::CallbackInfo& info) {
  const bool has_value = info[2].IsNumber();
  const int value = has_value ? info[2].As<Napi::Number>().Int32Value() : 0;
  return Napi::Number::New(info.Env(),
                           send_signal(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Int32Value(), has_value, value));
}

}  // namespace

void export_signals(Napi::Env env, Napi::Object exports) {
  exports["attachSignal"] = Napi::Function::New<attach>(env, "attachSignal");
  exports["attachTimer"] = Napi::Function::New<attach_interval>(env, "attachTimer");
  exports["followLibuv"] = Napi::Function::New<follow>(env, "followLibuv");
  exports["willListen"] = Napi::Function::New<will_listen>(env, "willListen");
  exports["hasListened"] = Napi::Function::New<has_listened>(env, "hasListened");
  exports["isInstalled"] = Napi::Function::New<installed>(env, "isInstalled");
  exports["detachSource"] = Napi::Function::New<detach>(env, "detachSource");
  exports["sourceCounts"] = Napi::Function::New<counts>(env, "sourceCounts");
  exports["sendSignal"] = Napi::Function::New<send>(env, "sendSignal");
  exports["firstRealtimeSignal"] = Napi::Number::New(env, first_realtime_signal());
  exports["lastRealtimeSignal"] = Napi::Number::New(env, last_realtime_signal());
}

}  // namespace threadsafe
