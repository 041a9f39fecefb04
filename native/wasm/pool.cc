// The module of a pool. Leases and tokens are names without the salt, which JavaScript adds to those
// that it shows.
#include "../core/pool.h"

#include "module.h"

namespace {

using namespace threadsafe;

struct PoolWake {
  void one(WaitList&) { wake(0); }
};

PoolHeader& pool_header() { return header<PoolHeader>(); }

// Uses the geometry in the memory. WebAssembly can't reach beyond that memory, whatever the
// geometry says.
auto pool() {
  const PoolGeometry& geometry = pool_header().geometry;
  return Pool(pool_header(), geometry, PoolMemory(pool_header(), geometry), PoolWake{});
}

constexpr double kNone = -1;

}  // namespace

// Returns the lease, or kNone.
EXPORT("lend") double lend(u32 thread) {
  u32 lease;
  return pool().try_lend(thread, lease) == Status::ok ? static_cast<double>(lease) : kNone;
}

// Returns the token, or kNone.
EXPORT("pass") double pass(u32 thread, u32 lease) {
  u32 token;
  return pool().pass(thread, lease, token) ? static_cast<double>(token) : kNone;
}

EXPORT("take") int take(u32 thread, u32 token) { return pool().take(thread, token); }

EXPORT("release") int release(u32 thread, u32 lease) { return pool().release(thread, lease); }
