// The lock's functions for lib/shared/lock.ts.
#include "../core/lock.h"

#include "binding.h"
#include "object.h"

namespace threadsafe {
namespace {

// The lock's clock: milliseconds, mod 2^32.
u32 milliseconds_now() { return static_cast<u32>(uv_hrtime() / 1'000'000); }

class LockObject final : public SharedObject {
 public:
  static Napi::Object open(Napi::Env env, Napi::Uint8Array view, LockHeader& header) {
    return opened<&LockObject::wake>(env, new LockObject(env, view, header));
  }

  // The functions that take such an object.
  static Napi::Object functions(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["acquire"] = function<LockObject, &LockObject::acquire>(env, "acquire");
    object["acquireInTurn"] = function<LockObject, &LockObject::acquire_in_turn>(env, "acquireInTurn");
    object["acquireBlocking"] = function<LockObject, &LockObject::acquire_blocking>(env, "acquireBlocking");
    object["announce"] = function<LockObject, &LockObject::announce>(env, "announce");
    object["withdraw"] = function<LockObject, &LockObject::withdraw>(env, "withdraw");
    return object;
  }

 private:
  LockObject(Napi::Env env, Napi::Uint8Array view, LockHeader& header)
      : SharedObject(Environment::of(env), view), header_(header), lock_(header, ThreadWake{}) {}

  WaitList& get_list() override { return header_.waiters; }
  bool ready(u64) override { return !lock_.is_held(); }
  void pass_on() override { lock_.pass_on(); }

  void withdraw_and_wake() override {
    if (environment().doorbell() != kNoDoorbell) take_loop(header_.waiters, environment().doorbell());
    lock_.abandon(environment().thread_number());
  }

  // After a release.
  Napi::Value wake(const Napi::CallbackInfo& info) {
    lock_.wake_next();
    return info.Env().Undefined();
  }

  // These return what acquire() of native/wasm/lock.cc does.

  // A try that does not wait.
  Napi::Value acquire(const Napi::CallbackInfo& info) {
    Hold hold;
    const Status status = lock_.try_acquire(environment().thread_number(), milliseconds_now(), courtesy_, hold);
    return result(info, status, hold);
  }

  // (when the call began to wait)
  Napi::Value acquire_in_turn(const Napi::CallbackInfo& info) {
    Hold hold;
    const Status status = lock_.attempt(waiter(info[1]), milliseconds_now(), courtesy_, hold);
    return result(info, status, hold);
  }

  // (timeout)
  Napi::Value acquire_blocking(const Napi::CallbackInfo& info) {
    keep_memory();
    auto stops = stop_check();
    ThreadParker waiting(header_.waiters, deadline(info[1]), stops);
    Hold hold;
    const Status status = lock_.acquire(waiting, environment().thread_number(), milliseconds_now, hold);
    return result(info, status, hold);
  }

  // (when the first of the calls began to wait): announces this loop, then looks, as wait.h wants
  // it: whether an attempt could do something now.
  Napi::Value announce(const Napi::CallbackInfo& info) {
    announce_loop(header_.waiters, environment().doorbell());
    return Napi::Boolean::New(info.Env(), lock_.should_attempt(waiter(info[1]), milliseconds_now()));
  }

  // See wait.h, "A loop that was rung". Other evaluations of the package in this isolate have the
  // same doorbell.
  Napi::Value withdraw(const Napi::CallbackInfo& info) {
    lock_.withdraw(environment().doorbell(), environment().thread_number());
    if (environment().loop().has_several_listeners()) ring_doorbell(environment().doorbell(), &header_.waiters);
    return info.Env().Undefined();
  }

  // Of this loop. `since`: by native.now() in TypeScript, which is this clock.
  LockWaiter waiter(const Napi::Value& since) {
    return {environment().thread_number(), static_cast<u32>(static_cast<u64>(since.As<Napi::Number>().DoubleValue()))};
  }

  static Napi::Value result(const Napi::CallbackInfo& info, Status status, const Hold& hold) {
    const double value = status == Status::ok ? static_cast<double>(pack(hold.abandoned, hold.epoch)) : -static_cast<double>(status);
    return Napi::Number::New(info.Env(), value);
  }

  LockHeader& header_;
  Lock<ThreadWake> lock_;
  Courtesy courtesy_;  // of calls that do not block
};

// (view): makes zeroed memory a lock.
Napi::Value init_lock(const Napi::CallbackInfo& info) {
  make_object<LockHeader>(info[0].As<Napi::Uint8Array>(), Kind::lock);
  return info.Env().Undefined();
}

// (view): the lock in that memory, or undefined.
Napi::Value open_lock(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  LockHeader* const header = lock_in(view);
  if (!header) return info.Env().Undefined();
  return LockObject::open(info.Env(), view, *header);
}

}  // namespace

void export_lock(Napi::Env env, Napi::Object exports) {
  exports["lock"] = LockObject::functions(env);
  exports["initLock"] = Napi::Function::New<init_lock>(env, "initLock");
  exports["openLock"] = Napi::Function::New<open_lock>(env, "openLock");
}

}  // namespace threadsafe
