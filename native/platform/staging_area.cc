#include "staging_area.h"

#include <atomic>
#include <bit>

#include "process_wide.h"

namespace threadsafe {

template <u32 version>
struct THREADSAFE_PROCESS_WIDE StagingAreaTable {
  static_assert(kStagingAreas <= 32);
  static constinit inline std::atomic<u32> taken{0};  // a bit for each area
};

namespace {

constexpr auto& taken = StagingAreaTable<kProcessVersion>::taken;

}  // namespace

u32 take_staging_area() {
  u32 bits = taken.load(std::memory_order_relaxed);
  for (;;) {
    const u32 number = static_cast<u32>(std::countr_one(bits));
    if (number >= kStagingAreas) return kNoStagingArea;
    // Acquire: what the last thread wrote to its areas happened before.
    if (taken.compare_exchange_weak(bits, bits | u32{1} << number, std::memory_order_acquire, std::memory_order_relaxed)) return number;
  }
}

void give_back_staging_area(u32 number) { taken.fetch_and(~(u32{1} << number), std::memory_order_release); }

}  // namespace threadsafe
