// Every call of a pool, while its memory is overwritten.
#include "../core/pool.h"
#include "scribble.h"

namespace threadsafe::fuzz {
namespace {

constexpr ElementType kTypes[] = {ElementType::bytes, ElementType::uint8, ElementType::float64};
constexpr u32 kMostBuffers = 70;  // three maps, of which the last is partial
constexpr u32 kMostBytes = 16;

struct Made {
  explicit Made(Input& input)
      : bytes(lay_out_pool(geometry, kTypes[input.below(sizeof kTypes / sizeof *kTypes)], 1 + input.below(kMostBuffers),
                           1 + input.below(kMostBytes))) {}

  PoolGeometry geometry{};
  u64 bytes;
};

class PoolTarget {
 public:
  explicit PoolTarget(const Made& made) : memory_(made.bytes - kOrigin), bytes_(made.bytes) { header().geometry = made.geometry; }

  ObjectMemory& memory() { return memory_; }

  // Returns false if it is refused.
  bool open() { return checked_pool(header(), bytes_, geometry_); }

  // Overwrites the geometry.
  void forge(Input& input) {
    auto* const words = reinterpret_cast<u32*>(&header().geometry);
    words[input.below(sizeof(PoolGeometry) / sizeof(u32))] = static_cast<u32>(input.value());
  }

  void call(Input& input, u32 thread) {
    Pool pool(header(), geometry_, PoolMemory(header(), geometry_), FuzzWake{});
    u32& known = names_[thread - 1];
    // Picks this thread's last lease or token, the other thread's, or any number.
    const auto name = [&] {
      const u32 which = input.below(4);
      return which < 2 ? known : which == 2 ? other_.load(std::memory_order_relaxed) : static_cast<u32>(input.value());
    };
    const auto found = [&](bool there) {
      if (!there) return;
      require(pool.index_of(known) < geometry_.count, "what is lent is a buffer of the pool");
      touch(pool.index_of(known));
      other_.store(known, std::memory_order_relaxed);
    };
    switch (input.below(12)) {
      case 0:
        return found(pool.try_lend(thread, known) == Status::ok);
      case 1:
      case 2:
        return found(pool.try_lend_at_once(thread, known) == Status::ok);
      case 3: {
        auto parker = brief_parker(header().waiters, 4 * input.byte());
        return found(pool.lend(parker, thread, known) == Status::ok);
      }
      case 4:
      case 5: {
        u32 token;
        if (pool.pass(thread, name(), token)) other_.store(token, std::memory_order_relaxed);
        return;
      }
      case 6:
      case 7: {
        const u32 token = name();
        if (!pool.take(thread, token)) return;
        known = token;
        return found(true);
      }
      case 8:
        pool.release(thread, name());
        return;
      case 9: {
        const u32 lease = name();
        if (pool.has(thread, lease)) touch(pool.index_of(lease));
        return;
      }
      case 10:
        return pool.abandon(thread);
      default:
        pool.has_free();
        pool.stats();
        announce_loop(header().waiters, input.below(kMaxLoops));
        return pool.withdraw(input.below(kMaxLoops));
    }
  }

 private:
  PoolHeader& header() { return memory_.header<PoolHeader>(); }

  // Writes into the buffer, as the holder of a lease does.
  void touch(u32 buffer) {
    auto* const first = reinterpret_cast<std::uint8_t*>(&header()) + geometry_.buffers + std::size_t{buffer} * geometry_.stride;
    __atomic_store_n(first, 1, __ATOMIC_RELAXED);
    __atomic_store_n(first + geometry_.bytes - 1, 1, __ATOMIC_RELAXED);
  }

  ObjectMemory memory_;
  const u64 bytes_;
  PoolGeometry geometry_{};
  u32 names_[2] = {};
  std::atomic<u32> other_{0};
};

}  // namespace
}  // namespace threadsafe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace threadsafe::fuzz;
  Input input({data, size});
  PoolTarget target{Made(input)};
  for (threadsafe::u32 words = input.byte() % 8; words > 4; words--) target.forge(input);
  if (target.open()) run(target, input);
  return 0;
}
