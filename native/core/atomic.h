// The one place that names the atomic type. The model checks put their own in its place (native/model/atomic_model.h);
// it must offer the members of std::atomic that the core uses: load, store, exchange, fetch_add, fetch_or, fetch_and and
// compare_exchange_weak, each with explicit memory orders.
#pragma once

#ifdef THREADSAFE_ATOMIC_HEADER
#include THREADSAFE_ATOMIC_HEADER
#else

#include <atomic>

namespace threadsafe {

template <class T>
using Atomic = std::atomic<T>;

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

}  // namespace threadsafe

#endif
