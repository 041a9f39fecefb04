// A queue of doubles over the core, as in the WebAssembly build, for native threads.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>

#include "../core/queue.h"
#include "../core/slots.h"
#include "../platform/parking.h"

namespace threadsafe::bench {

// Wakes threads only, as no event loop waits here.
struct ThreadWake {
  void unpark(const WaitList& list, u32 most) { threadsafe::unpark(list, most); }
  void ring(u32, const WaitList&) {}
  bool is_idle(u32) { return false; }
  void one(WaitList& list) { wake_one(list, *this); }
  void all(WaitList& list) { wake_all(list, *this); }
};

constexpr std::size_t bytes_of_numbers(u32 capacity) { return sizeof(QueueHeader) + std::size_t{capacity} * kCellStride; }

// The core's queue in the caller's memory. That must be aligned to kLine, and zeroed before the
// first NumberQueue over it is made.
class NumberQueue {
 public:
  NumberQueue(void* memory, u32 capacity)
      : header_(laid_out(memory, capacity)), queue_(header_, header_.geometry, CellSlots(header_), ThreadWake{}) {}

  Status try_put(double value) {
    return queue_.try_put(sizeof value, [this, value](Span span) { CellSlots(header_).value<double>(span.index) = value; });
  }

  Status try_get(double& value) {
    return queue_.try_get(~u32{0}, [this, &value](Span span) { value = CellSlots(header_).value<double>(span.index); });
  }

  // Waits as putSync and getSync do: spins briefly, then parks.
  void put(double value) {
    if (try_put(value) == Status::ok) return;
    StopCheck unstopped(never);
    ThreadParker parker(header_.not_full, Deadline::never(), unstopped);
    queue_.put(parker, 1, sizeof value, [this, value](Span span) { CellSlots(header_).value<double>(span.index) = value; });
  }

  double get() {
    double value = 0;
    if (try_get(value) == Status::ok) return value;
    StopCheck unstopped(never);
    ThreadParker parker(header_.not_empty, Deadline::never(), unstopped);
    queue_.get(parker, ~u32{0}, [this, &value](Span span) { value = CellSlots(header_).value<double>(span.index); });
    return value;
  }

  // Waits with the given parker, so that the cost of parking alone can be measured.
  template <class Parker>
  double get_by(Parker&& parker) {
    double value = 0;
    queue_.get(parker, ~u32{0}, [this, &value](Span span) { value = CellSlots(header_).value<double>(span.index); });
    return value;
  }

  const WaitList& not_empty() const { return header_.not_empty; }

 private:
  static bool never() { return false; }

  static QueueHeader& laid_out(void* memory, u32 capacity) {
    auto& header = *static_cast<QueueHeader*>(memory);
    if (header.geometry.capacity == 0) lay_out(header.geometry, ElementType::float64, capacity, sizeof(double));
    return header;
  }

  QueueHeader& header_;
  Queue<CellSlots, ThreadWake> queue_;
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, Free>;

inline Memory zeroed(std::size_t bytes) {
  const std::size_t rounded = (bytes + kLine - 1) / kLine * kLine;
  void* const memory = std::aligned_alloc(kLine, rounded);
  std::memset(memory, 0, rounded);
  return Memory(memory);
}

}  // namespace threadsafe::bench
