// Memory that was forged or overwritten. Whatever it holds, nothing outside it is read or written,
// which the sanitizers check.
#include <new>

#include "support.h"

namespace threadsafe::test {
namespace {

struct Layout {
  ElementType type;
  u32 item_bytes;
  Overflow overflow;
};
constexpr Layout kLayouts[] = {{ElementType::float64, 8, Overflow::reject},
                               {ElementType::record, 40, Overflow::drop_oldest},
                               {ElementType::bytes, 16, Overflow::reject},
                               {ElementType::bytes, 5, Overflow::drop_oldest},
                               {ElementType::any, 64, Overflow::drop_newest}};
constexpr u32 kCapacity = 5;
constexpr u32 kBuffer = 256;
constexpr u32 kValues[] = {0, 1, 2, 3, 5, 7, 16, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};

// A queue as the addon opens it, with its own copy of the geometry. The memory ends where the
// staging areas would begin, so that nearly each word that is overwritten decides something.
struct Opened {
  explicit Opened(const Layout& layout) {
    bytes_with_areas = lay_out(geometry, layout.type, kCapacity, layout.item_bytes);
    geometry.overflow = layout.overflow;
    size = geometry.staging;
    // The size is exact, so that the sanitizer sees accesses behind it.
    data = ::operator new(size, std::align_val_t(kLine));
    std::memset(data, 0, size);
    header().geometry = geometry;
  }
  ~Opened() { ::operator delete(data, std::align_val_t(kLine)); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  QueueHeader& header() { return *static_cast<QueueHeader*>(data); }
  u32* words() { return static_cast<u32*>(data); }
  u32 word_count() const { return static_cast<u32>(size / sizeof(u32)); }

  Geometry geometry{};
  u64 bytes_with_areas;
  std::size_t size;
  void* data;
};

// The bits of event loops may be overwritten too. There are no loops, so their numbers are checked.
struct CheckingWake {
  void unpark(const WaitList& list, u32 most) { threadsafe::unpark(list, most); }
  void ring(u32 loop, const WaitList&) { CHECK(loop < kMaxLoops); }
  bool is_idle(u32 loop) {
    CHECK(loop < kMaxLoops);
    return loop % 2 == 0;
  }
  void one(WaitList& list) { wake_one(list, *this); }
  void all(WaitList& list) { wake_all(list, *this); }
};

// A length may be too long for the queue, and still not for the caller's buffer.
u32 any_value(Random& random) {
  return random.below(2) == 0 ? random.below(2 * kBuffer) : kValues[random.below(sizeof kValues / sizeof *kValues)];
}

void fill(Opened& opened, u32 items, u32 bytes) {
  const StridedSlots slots(opened.header(), opened.geometry);
  Queue queue(opened.header(), opened.geometry, slots, CheckingWake{});
  const std::byte buffer[kBuffer] = {};
  for (u32 k = 0; k < items; k++) queue.try_put(bytes, [&](const Span& span) { slots.copy_in(span, buffer); });
}

void use(Opened& opened, u32 bytes) {
  const StridedSlots slots(opened.header(), opened.geometry);
  Queue queue(opened.header(), opened.geometry, slots, CheckingWake{});
  std::byte buffer[kBuffer] = {};
  const auto write = [&](const Span& span) { slots.copy_in(span, buffer); };
  const auto read = [&](const Span& span) {
    CHECK(span.bytes <= kBuffer);
    slots.copy_out(span, buffer);
  };
  queue.try_put(bytes, write);
  queue.offer(bytes, write);
  queue.try_peek(kBuffer, [&](const Span& span) { slots.copy_out_unclaimed(span, 0, buffer, span.bytes); });
  queue.try_get(kBuffer, read);
  CHECK(queue.next_bytes() <= opened.geometry.most_bytes());
  const auto each = [&](u32 index, u32, u32 n) {
    CHECK(index < kCapacity);
    CHECK(n <= kCapacity - index);
  };
  u32 done;
  queue.try_put_many(kCapacity + 2, 8, done, each);
  queue.try_get_many(kCapacity + 2, done, each);
  (void)get_ready(opened.header(), opened.geometry, slots);
  queue.attempt_waiting_put({1, false}, true, bytes, write);
  queue.give_up_token({1, false});
  queue.stats();
  const auto no_patience = [] { return false; };
  queue.clear(no_patience);
  queue.close();
  queue.discard(no_patience);
}

}  // namespace

TEST_SUITE_BEGIN("damage");

TEST_CASE("overwritten memory leads to no access outside it") {
  Random random(1);
  const Watchdog watchdog("calls on memory that was written over");
  for (const Layout& layout : kLayouts) {
    for (u32 k = 0; k < scaled(100'000); k++) {
      Opened opened(layout);
      fill(opened, random.below(kCapacity + 1), layout.item_bytes);
      for (u32 n = 1 + random.below(6); n > 0; n--) {
        opened.words()[random.below(opened.word_count())] = any_value(random);
      }
      const u32 most = static_cast<u32>(opened.geometry.most_bytes());
      const u32 bytes = spans(layout.type) ? random.below(most + 1) % kBuffer : layout.item_bytes;
      use(opened, bytes);
    }
  }
}

TEST_CASE("a length that no message can have is reported") {
  Opened opened(kLayouts[2]);
  const StridedSlots slots(opened.header(), opened.geometry);
  Queue queue(opened.header(), opened.geometry, slots, CheckingWake{});
  for (const u32 bytes : {kCapacity * 16 + 1, 0x80000000, 0xffffffff}) {
    slots.stamp(0).store(pack(bytes, 1), memory_order_relaxed);
    CHECK(queue.try_get(~u32{0}, [](Span) { FAIL("nothing can be read"); }) == Status::damaged);
    CHECK(queue.try_peek(~u32{0}, [](Span) { FAIL("nothing can be read"); }) == Status::damaged);
  }
  slots.stamp(0).store(pack(kCapacity * 16, 1), memory_order_relaxed);
  CHECK(queue.try_get(kCapacity * 16 - 1, [](Span) {}) == Status::too_small);
}

TEST_CASE("a geometry is valid if it is what lay_out makes, and lies within the memory") {
  for (const Layout& layout : kLayouts) {
    Opened opened(layout);
    const u64 bytes = opened.bytes_with_areas;
    Geometry geometry;
    CHECK(checked_geometry(opened.header(), bytes, geometry));
    CHECK(std::memcmp(&geometry, &opened.geometry, sizeof geometry) == 0);
    CHECK_FALSE(checked_geometry(opened.header(), bytes - 1, geometry));
    u32* const words = reinterpret_cast<u32*>(&opened.header().geometry);
    for (u32 word = 0; word < sizeof(Geometry) / sizeof(u32); word++) {
      const u32 before = words[word];
      for (const u32 value : kValues) {
        words[word] = value;
        // Another overflow policy or a smaller queue may be valid too.
        if (value == before || !checked_geometry(opened.header(), bytes, geometry)) continue;
        Geometry expected{};
        CHECK(lay_out(expected, geometry.type, geometry.capacity, geometry.item_bytes) <= bytes);
        expected.overflow = geometry.overflow;
        CHECK(std::memcmp(&geometry, &expected, sizeof geometry) == 0);
      }
      words[word] = before;
    }
  }
}

TEST_SUITE_END();

}  // namespace threadsafe::test
