// The one place that names the atomic type. The model checks put their own in its place
// (native/model/atomic_model.h); it must offer the members of std::atomic that the core uses: load,
// store, exchange, fetch_add, fetch_or, fetch_and and compare_exchange_weak, each with explicit
// memory orders.
#pragma once

#include <type_traits>

#ifdef THREADSAFE_ATOMIC_HEADER
#include THREADSAFE_ATOMIC_HEADER
#else

#include <atomic>

namespace threadsafe {

template <class T>
using Atomic = std::atomic<T>;

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

}  // namespace threadsafe

#endif

namespace threadsafe {

// A relaxed store that is cheap in WebAssembly too, where each atomic store is sequentially
// consistent: an exchange on x64. There it is an ordinary store of an aligned word, which is not
// moved across the atomic store that publishes it, nor torn by engines for 64-bit processors
// (docs/reliability.md says what happens with others).
template <class T>
void store_relaxed(Atomic<T>& word, std::type_identity_t<T> value) {
#ifdef __wasm__
  *reinterpret_cast<volatile T*>(&word) = value;
#else
  word.store(value, memory_order_relaxed);
#endif
}

// A release store right before a read-modify-write that makes it known. In WebAssembly an ordinary
// one, which is not moved across that.
template <class T>
void store_release_before(Atomic<T>& word, std::type_identity_t<T> value) {
#ifdef __wasm__
  store_relaxed(word, value);
#else
  word.store(value, memory_order_release);
#endif
}

}  // namespace threadsafe
