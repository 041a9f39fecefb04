// The core's atomics, as Relacy sees them. Another thread may come in between at each operation,
// and a load may return any value that its order allows. Zero at first, like the shared memory.
#pragma once

#include "relacy.h"

namespace threadsafe {

inline constexpr rl::memory_order memory_order_relaxed = rl::mo_relaxed;
inline constexpr rl::memory_order memory_order_acquire = rl::mo_acquire;
inline constexpr rl::memory_order memory_order_release = rl::mo_release;
inline constexpr rl::memory_order memory_order_acq_rel = rl::mo_acq_rel;
inline constexpr rl::memory_order memory_order_seq_cst = rl::mo_seq_cst;

// A model may have signal handlers strike: called before each operation, by the thread that makes it.
inline void (*before_operation)() = nullptr;

inline void strike() {
  if (before_operation) before_operation();
}

template <class T>
class Atomic {
 public:
  Atomic() { store(T{}, rl::mo_relaxed); }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(rl::memory_order order) const {
    strike();
    return value_.load(order, $);
  }
  void store(T value, rl::memory_order order) {
    strike();
    value_.store(value, order, $);
  }
  T exchange(T value, rl::memory_order order) {
    strike();
    return value_.exchange(value, order, $);
  }
  T fetch_add(T value, rl::memory_order order) {
    strike();
    return value_.rmw(rl::rmw_type_t<rl::rmw_type_add>(), value, order, $);
  }
  T fetch_or(T value, rl::memory_order order) {
    strike();
    return value_.fetch_or(value, order, $);
  }
  T fetch_and(T value, rl::memory_order order) {
    strike();
    return value_.fetch_and(value, order, $);
  }
  bool compare_exchange_weak(T& expected, T desired, rl::memory_order success, rl::memory_order failure) {
    strike();
    return value_.compare_exchange(rl::bool_t<true>(), expected, desired, success, failure, $);
  }

 private:
  rl::generic_atomic<T, false> value_;
};

}  // namespace threadsafe
