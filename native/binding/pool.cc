// The pool's functions for lib/shared/pool.ts.
#include "../core/pool.h"

#include "binding.h"
#include "object.h"

namespace threadsafe {
namespace {

class PoolObject final : public SharedObject {
 public:
  static Napi::Object open(Napi::Env env, Napi::Uint8Array view, const FoundPool& pool) {
    return opened<&PoolObject::wake>(env, new PoolObject(env, view, pool));
  }

  // The functions that take such an object.
  static Napi::Object functions(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["lendBlocking"] = function<PoolObject, &PoolObject::lend_blocking>(env, "lendBlocking");
    object["announce"] = function<PoolObject, &PoolObject::announce>(env, "announce");
    object["withdraw"] = function<PoolObject, &PoolObject::withdraw>(env, "withdraw");
    object["stats"] = function<PoolObject, &PoolObject::stats>(env, "stats");
    return object;
  }

 private:
  PoolObject(Napi::Env env, Napi::Uint8Array view, const FoundPool& pool)
      : SharedObject(Environment::of(env), view),
        header_(*pool.header),
        geometry_(pool.geometry),
        pool_(header_, geometry_, PoolMemory(header_, geometry_), ThreadWake{}) {}

  WaitList& get_list() override { return header_.waiters; }
  bool ready(u64) override { return pool_.has_free(); }
  void pass_on() override { pool_.pass_on(); }

  void withdraw_and_wake() override {
    if (environment().doorbell() != kNoDoorbell) take_loop(header_.waiters, environment().doorbell());
    pool_.abandon(environment().thread_number());
  }

  // After a return.
  Napi::Value wake(const Napi::CallbackInfo& info) {
    pool_.wake_next();
    return info.Env().Undefined();
  }

  // (timeout): the lease, or a status as its negative.
  Napi::Value lend_blocking(const Napi::CallbackInfo& info) {
    keep_memory();
    auto stops = stop_check();
    ThreadParker waiting(header_.waiters, deadline(info[1]), stops);
    u32 lease = 0;
    const Status status = pool_.lend(waiting, environment().thread_number(), lease);
    return Napi::Number::New(info.Env(), status == Status::ok ? double{1} * lease : -static_cast<double>(status));
  }

  // Announces this loop, then looks, as wait.h wants it: whether a buffer is free.
  Napi::Value announce(const Napi::CallbackInfo& info) {
    announce_loop(header_.waiters, environment().doorbell());
    return Napi::Boolean::New(info.Env(), pool_.has_free());
  }

  // See wait.h, "A loop that was rung". Other evaluations of the package in this isolate have the
  // same doorbell.
  Napi::Value withdraw(const Napi::CallbackInfo& info) {
    pool_.withdraw(environment().doorbell());
    if (environment().loop().has_several_listeners()) ring_doorbell(environment().doorbell(), &header_.waiters);
    return info.Env().Undefined();
  }

  Napi::Value stats(const Napi::CallbackInfo& info) {
    const PoolStats stats = pool_.stats();
    Napi::Object object = Napi::Object::New(info.Env());
    object["free"] = Napi::Number::New(info.Env(), stats.free);
    object["lent"] = Napi::Number::New(info.Env(), stats.lent);
    object["passed"] = Napi::Number::New(info.Env(), stats.passed);
    return object;
  }

  PoolHeader& header_;
  const PoolGeometry geometry_;
  Pool<PoolMemory, ThreadWake> pool_;
};

// (type, count, bytes of a buffer): the bytes of memory that such a pool needs, 0 if it can't be
// had.
Napi::Value pool_memory(const Napi::CallbackInfo& info) {
  const double bytes = info[2].As<Napi::Number>().DoubleValue();
  PoolGeometry geometry{};
  if (bytes > double{kMaxBytes} / 2) return Napi::Number::New(info.Env(), 0);
  const u64 needed = lay_out_pool(geometry, static_cast<ElementType>(number(info[0])), number(info[1]), static_cast<u32>(bytes));
  return Napi::Number::New(info.Env(), static_cast<double>(needed));
}

// Another for each pool, as good as random (SplitMix64).
u32 salt_of(const void* memory) {
  u64 z = uv_hrtime() + reinterpret_cast<std::uintptr_t>(memory);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return static_cast<u32>(z ^ z >> 31);
}

// (view, type, count, bytes of a buffer): makes zeroed memory of that size a pool.
Napi::Value init_pool(const Napi::CallbackInfo& info) {
  auto& header = make_object<PoolHeader>(info[0].As<Napi::Uint8Array>(), Kind::pool);
  lay_out_pool(header.geometry, static_cast<ElementType>(number(info[1])), number(info[2]), number(info[3]));
  header.geometry.salt = salt_of(&header);
  return info.Env().Undefined();
}

// (view): the pool in that memory, with what can be known of it, or undefined.
Napi::Value open_pool(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  const std::optional<FoundPool> pool = pool_in(view);
  if (!pool) return info.Env().Undefined();
  const PoolGeometry& geometry = pool->geometry;
  Napi::Object object = PoolObject::open(info.Env(), view, *pool);
  object["type"] = Napi::Number::New(info.Env(), static_cast<u32>(geometry.type));
  object["count"] = Napi::Number::New(info.Env(), geometry.count);
  object["bytes"] = Napi::Number::New(info.Env(), geometry.bytes);
  object["indexMask"] = Napi::Number::New(info.Env(), (u32{1} << geometry.index_bits) - 1);
  object["salt"] = Napi::Number::New(info.Env(), geometry.salt);
  object["buffers"] = Napi::Number::New(info.Env(), kOrigin + double{1} * geometry.buffers);
  object["stride"] = Napi::Number::New(info.Env(), geometry.stride);
  return object;
}

}  // namespace

void export_pool(Napi::Env env, Napi::Object exports) {
  exports["pool"] = PoolObject::functions(env);
  exports["poolMemory"] = Napi::Function::New<pool_memory>(env, "poolMemory");
  exports["initPool"] = Napi::Function::New<init_pool>(env, "initPool");
  exports["openPool"] = Napi::Function::New<open_pool>(env, "openPool");
}

}  // namespace threadsafe
