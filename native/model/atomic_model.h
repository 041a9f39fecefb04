// The core's atomics as Relacy sees them. Another thread may run before each operation, and a load
// may return any value that its order allows. They are zero at first, like the shared memory.
#pragma once

#include <cstring>
#include <source_location>
#include <string_view>

#include "relacy.h"

namespace threadsafe {

inline constexpr rl::memory_order memory_order_relaxed = rl::mo_relaxed;
inline constexpr rl::memory_order memory_order_acquire = rl::mo_acquire;
inline constexpr rl::memory_order memory_order_release = rl::mo_release;
inline constexpr rl::memory_order memory_order_acq_rel = rl::mo_acq_rel;
inline constexpr rl::memory_order memory_order_seq_cst = rl::mo_seq_cst;

// Called before each operation, by the thread that makes it, so that a model can let signal
// handlers strike.
inline void (*before_operation)() = nullptr;

inline void strike() {
  if (before_operation) before_operation();
}

// One operation of the core whose order is weakened, to see whether the scenarios find out:
// --weaken FILE:LINE:OPERATION=ORDER. The line is that of the operation's name. `failure` means the
// order of a compare-exchange that fails.
struct Weakened {
  std::string_view file;
  unsigned line = 0;
  std::string_view operation;
  rl::memory_order order = rl::mo_relaxed;
  bool met = false;  // whether the operation was made at least once

  bool is(std::string_view name, const std::source_location& at) const {
    return at.line() == line && operation == name && std::string_view(at.file_name()).ends_with(file);
  }
};
inline Weakened weakened;

inline rl::memory_order order_of(rl::memory_order order, std::string_view operation, const std::source_location& at) {
  if (weakened.line == 0 || !weakened.is(operation, at)) return order;
  weakened.met = true;
  return weakened.order;
}

// Returns the strongest order that a failing exchange may have beside that success order.
inline rl::memory_order failure_of(rl::memory_order failure, rl::memory_order success) {
  if (success == rl::mo_relaxed || success == rl::mo_release) return rl::mo_relaxed;
  return success == rl::mo_seq_cst || failure == rl::mo_relaxed ? failure : rl::mo_acquire;
}

template <class T>
class Atomic {
  using At = std::source_location;

  static rl::debug_info info(const At& at) { return {at.function_name(), at.file_name(), at.line()}; }

 public:
  Atomic() { store(T{}, rl::mo_relaxed); }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(rl::memory_order order, At at = At::current()) const {
    strike();
    return value_.load(order_of(order, "load", at), info(at));
  }
  void store(T value, rl::memory_order order, At at = At::current()) {
    strike();
    value_.store(value, order_of(order, "store", at), info(at));
  }
  T exchange(T value, rl::memory_order order, At at = At::current()) {
    strike();
    return value_.exchange(value, order_of(order, "exchange", at), info(at));
  }
  T fetch_add(T value, rl::memory_order order, At at = At::current()) {
    strike();
    return value_.rmw(rl::rmw_type_t<rl::rmw_type_add>(), value, order_of(order, "fetch_add", at), info(at));
  }
  T fetch_or(T value, rl::memory_order order, At at = At::current()) {
    strike();
    return value_.fetch_or(value, order_of(order, "fetch_or", at), info(at));
  }
  T fetch_and(T value, rl::memory_order order, At at = At::current()) {
    strike();
    return value_.fetch_and(value, order_of(order, "fetch_and", at), info(at));
  }
  bool compare_exchange_weak(T& expected, T desired, rl::memory_order success, rl::memory_order failure, At at = At::current()) {
    strike();
    success = order_of(success, "compare_exchange_weak", at);
    failure = failure_of(order_of(failure, "failure", at), success);
    return value_.compare_exchange(rl::bool_t<true>(), expected, desired, success, failure, info(at));
  }

 private:
  rl::generic_atomic<T, false> value_;
};

}  // namespace threadsafe
