#include "../core/pool.h"

#include <new>
#include <set>

#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("pool");

namespace {

class TestPool {
 public:
  explicit TestPool(u32 count, u32 bytes = 8)
      : size_(static_cast<std::size_t>(lay_out_pool(geometry_, ElementType::bytes, count, bytes) - kOrigin)),
        // The size is exact to the word, so that the sanitizer sees accesses behind it.
        data_(::operator new(size_, std::align_val_t(kLine))) {
    std::memset(data_, 0, size_);
    header().geometry = geometry_;
  }
  ~TestPool() { ::operator delete(data_, std::align_val_t(kLine)); }
  TestPool(const TestPool&) = delete;
  TestPool& operator=(const TestPool&) = delete;

  PoolHeader& header() { return *static_cast<PoolHeader*>(data_); }
  const PoolGeometry& geometry() const { return geometry_; }
  u32* words() { return static_cast<u32*>(data_); }
  u32 word_count() const { return static_cast<u32>(size_ / sizeof(u32)); }
  u64 memory_bytes() const { return kOrigin + size_; }
  Pool<PoolMemory, ThreadWake> core() { return {header(), geometry_, PoolMemory(header(), geometry_), ThreadWake{}}; }

 private:
  PoolGeometry geometry_{};
  const std::size_t size_;
  void* const data_;
};

bool are(const PoolStats& stats, u32 free, u32 lent, u32 passed) {
  return stats.free == free && stats.lent == lent && stats.passed == passed;
}

}  // namespace

TEST_CASE("a pool lends each of its buffers once") {
  for (const u32 count : {1u, 31u, 32u, 33u, 64u, 100u}) {
    TestPool pool(count);
    std::set<u32> buffers, leases;
    u32 lease = 0;
    for (u32 k = 0; k < count; k++) {
      REQUIRE(pool.core().try_lend(1 + k % 5, lease) == Status::ok);
      buffers.insert(pool.core().index_of(lease));
      leases.insert(lease);
    }
    CHECK(buffers.size() == count);
    CHECK(*buffers.rbegin() == count - 1);
    CHECK(pool.core().try_lend(9, lease) == Status::empty);
    CHECK(pool.core().try_lend_at_once(9, lease) == Status::empty);
    CHECK(are(pool.core().stats(), 0, count, 0));
    for (u32 thread = 1; thread <= 5; thread++) pool.core().abandon(thread);
    CHECK(are(pool.core().stats(), count, 0, 0));
    for (const u32 ended : leases) CHECK_FALSE(pool.core().release(1 + ended % 5, ended));
  }
}

TEST_CASE("a lease and a token are valid for their buffer, and once only") {
  TestPool pool(3);
  u32 lease = 0, token = 0;
  REQUIRE(pool.core().try_lend(1, lease) == Status::ok);
  CHECK(pool.core().has(1, lease));
  CHECK_FALSE(pool.core().has(2, lease));
  CHECK_FALSE(pool.core().release(2, lease));
  CHECK_FALSE(pool.core().take(2, lease));
  REQUIRE(pool.core().pass(1, lease, token));
  CHECK(token != lease);
  CHECK_FALSE(pool.core().pass(1, lease, token));
  CHECK_FALSE(pool.core().release(1, lease));
  pool.core().abandon(1);
  CHECK(are(pool.core().stats(), 2, 0, 1));
  CHECK(pool.core().take(2, token));
  CHECK_FALSE(pool.core().take(1, token));
  CHECK(pool.core().release(2, token));
  CHECK_FALSE(pool.core().take(1, token));
  // The same buffer is lent again, with another lease.
  REQUIRE(pool.core().try_lend(1, lease) == Status::ok);
  CHECK_FALSE(pool.core().release(1, token));
  CHECK_FALSE(pool.core().take(1, 3));  // there is no such buffer
}

TEST_CASE("nobody else has a buffer that is lent, and no wake is lost") {
  constexpr u32 kThreads = 4;
  constexpr u32 kBuffers = 3;
  const u32 rounds = scaled(30'000);
  const Watchdog watchdog("lending", std::chrono::seconds(120));
  TestPool pool(kBuffers);
  u32 owners[kBuffers] = {};  // only the leases keep them apart
  std::vector<std::function<void()>> bodies;
  for (u32 thread = 1; thread <= kThreads; thread++) {
    bodies.push_back([&, thread] {
      for (u32 round = 0; round < rounds; round++) {
        u32 lease = 0;
        if (round % 3 == 0) {
          if (pool.core().try_lend(thread, lease) != Status::ok) continue;
        } else {
          auto waiting = parker(pool.header().waiters);
          REQUIRE(pool.core().lend(waiting, thread, lease) == Status::ok);
        }
        u32& owner = owners[pool.core().index_of(lease)];
        owner = thread;
        CHECK(owner == thread);
        CHECK(pool.core().release(thread, lease));
      }
    });
  }
  run_together(bodies);
  CHECK(are(pool.core().stats(), kBuffers, 0, 0));
  CHECK(pool.header().waiters.state.load() == 0);
}

TEST_CASE("one of 66 buffers is always free, and found") {
  constexpr u32 kBuffers = 66;
  const u32 rounds = scaled(20'000);
  TestPool pool(kBuffers);
  u32 lease = 0;
  for (u32 k = 0; k < kBuffers - 4; k++) REQUIRE(pool.core().try_lend(9, lease) == Status::ok);
  std::vector<std::function<void()>> bodies;
  for (u32 body = 0; body < 4; body++) {
    bodies.push_back([&, body] {
      for (u32 round = 0; round < rounds; round++) {
        const u32 thread = 100 + body * 10 + round % 3;  // the search begins elsewhere each time
        u32 mine = 0;
        REQUIRE(pool.core().try_lend(thread, mine) == Status::ok);
        REQUIRE(pool.core().release(thread, mine));
      }
    });
  }
  run_together(bodies);
  CHECK(are(pool.core().stats(), 4, kBuffers - 4, 0));
}

TEST_CASE("a geometry is valid if it is what lay_out_pool makes, and lies within the memory") {
  constexpr u32 kValues[] = {0, 1, 2, 3, 5, 7, 16, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
  TestPool pool(40, 100);
  PoolGeometry geometry;
  CHECK(checked_pool(pool.header(), pool.memory_bytes(), geometry));
  CHECK(geometry.stride == kLine);
  CHECK((kOrigin + geometry.buffers) % kLine == 0);
  CHECK_FALSE(checked_pool(pool.header(), pool.memory_bytes() - 1, geometry));
  u32* const words = reinterpret_cast<u32*>(&pool.header().geometry);
  for (u32 word = 0; word < sizeof(PoolGeometry) / sizeof(u32); word++) {
    const u32 before = words[word];
    for (const u32 value : kValues) {
      words[word] = value;
      if (value == before || !checked_pool(pool.header(), pool.memory_bytes(), geometry)) continue;
      PoolGeometry expected{};
      CHECK(lay_out_pool(expected, geometry.type, geometry.count, geometry.bytes) <= pool.memory_bytes());
      expected.salt = geometry.salt;
      CHECK(std::memcmp(&geometry, &expected, sizeof geometry) == 0);
    }
    words[word] = before;
  }
}

TEST_CASE("bits of a map beyond the last buffer are ignored") {
  constexpr u32 kCount = 37;  // five of them in the second map
  for (const u32 bits : {0xffffffffu, 0xffffffe0u, 0x0000003fu, 0x0000001fu, 0x80000000u}) {
    CAPTURE(bits);
    TestPool pool(kCount);
    auto core = pool.core();
    PoolMemory(pool.header(), pool.geometry()).map(1).store(bits, memory_order_relaxed);
    const u32 free = kBuffersPerMap + 5 - static_cast<u32>(std::popcount(bits & 0x1f));
    u32 lent = 0;
    for (u32 lease = 0; core.try_lend(1, lease) == Status::ok; lent++) {
      REQUIRE(lent < free);
      CHECK(core.index_of(lease) < kCount);
      CHECK(core.has(1, lease));
    }
    CHECK(lent == free);
    CHECK_FALSE(core.has_free());
  }
}

TEST_CASE("overwritten memory leads to no access outside it") {
  Random random(1);
  for (u32 k = 0; k < scaled(20'000); k++) {
    TestPool pool(40, 16);
    u32 lease = 0, token = 0;
    pool.core().try_lend(1, lease);
    for (u32 n = 1 + random.below(6); n > 0; n--) {
      const u32 word = random.below(pool.word_count());
      if (word * sizeof(u32) / kLine == 2) continue;  // the bits of event loops, of which there are none here
      pool.words()[word] = random.below(2) == 0 ? 0xffffffff : random.below(0x10000);
    }
    auto core = pool.core();
    for (const u32 name : {lease, lease + 1, 39u, 63u, 0xffffffffu}) {
      core.take(1, name);
      core.has(1, name);
      if (core.pass(1, name, token)) CHECK(core.index_of(token) < 40);
      core.release(1, name);
    }
    if (core.try_lend_at_once(1, lease) == Status::ok) CHECK(core.index_of(lease) < 40);
    core.stats();
    core.abandon(1);
  }
}

TEST_SUITE_END();
