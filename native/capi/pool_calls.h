// The functions of pools. Part of calls.cc.
#pragma once

#include "../core/pool.h"
#include "calling.h"

namespace threadsafe {
namespace {

template <class Wake>
Pool<PoolMemory, Wake> core_of(const OpenPool& pool, Wake wake) {
  return {pool.header, pool.geometry, PoolMemory(pool.header, pool.geometry), wake};
}

// Names are salted on their way out, and on their way in.
threadsafe_status named(const OpenPool& pool, Status status, u32 name, std::uint32_t* result) {
  if (status == Status::ok) *result = name ^ pool.geometry.salt;
  return public_status(status);
}

threadsafe_status done(bool success) { return success ? THREADSAFE_OK : THREADSAFE_ENDED; }

threadsafe_status pool_try_lend(threadsafe_pool* handle, std::uint32_t* lease) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    u32 name = 0;
    const Status status = core_of(pool, wake).try_lend_at_once(pool.owner, name);
    return named(pool, status, name, lease);
  });
}

threadsafe_status pool_lend(threadsafe_pool* handle, std::uint32_t* lease, double milliseconds) {
  OpenPool& pool = OpenPool::of(handle);
  const Use use(pool.calls());
  if (!use) return THREADSAFE_CLOSED;
  auto core = core_of(pool, ThreadWake{});
  u32 name = 0;
  Status status = core.try_lend(pool.owner, name);
  if (status == Status::empty && milliseconds == 0) status = Status::timeout;
  if (status == Status::empty) {
    CallParker parker(pool, pool.header.waiters, deadline_after(milliseconds));
    status = core.lend(parker, pool.owner, name);
  }
  return named(pool, status, name, lease);
}

threadsafe_status pool_data(threadsafe_pool* handle, std::uint32_t lease, void** data) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    const u32 name = lease ^ pool.geometry.salt;
    auto core = core_of(pool, wake);
    if (!core.has(pool.owner, name)) return THREADSAFE_ENDED;
    const std::size_t offset = pool.geometry.buffers + std::size_t{core.index_of(name)} * pool.geometry.stride;
    *data = reinterpret_cast<std::byte*>(&pool.header) + offset;
    return THREADSAFE_OK;
  });
}

threadsafe_status pool_pass(threadsafe_pool* handle, std::uint32_t lease, std::uint32_t* token) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    u32 name = 0;
    if (!core_of(pool, wake).pass(pool.owner, lease ^ pool.geometry.salt, name)) return THREADSAFE_ENDED;
    return named(pool, Status::ok, name, token);
  });
}

threadsafe_status pool_take(threadsafe_pool* handle, std::uint32_t token, std::uint32_t* lease) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) {
    *lease = token;  // the same name
    return done(core_of(pool, wake).take(pool.owner, token ^ pool.geometry.salt));
  });
}

threadsafe_status pool_release(threadsafe_pool* handle, std::uint32_t lease) {
  OpenPool& pool = OpenPool::of(handle);
  return signal_safe(pool, [&](auto wake) { return done(core_of(pool, wake).release(pool.owner, lease ^ pool.geometry.salt)); });
}

threadsafe_status pool_cancel(threadsafe_pool* pool) {
  OpenPool::of(pool).cancel();
  return THREADSAFE_OK;
}

threadsafe_status pool_close(threadsafe_pool* pool) {
  OpenPool::of(pool).close();
  return THREADSAFE_OK;
}

}  // namespace
}  // namespace threadsafe
