// Relacy (Debian: relacy-dev) without the macros by which it takes over a whole program. Only code
// that uses rl:: is modelled.
#pragma once

#include <cstdint>
#include <relacy/relacy.hpp>

#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
