// Shares state between all copies of the addon in one process: npm may install the package several
// times, and each copy brings an addon of its own. The handles of the one work in the other, as
// long as both look for their sleepers, doorbells and block areas in the same tables.
//
// The dynamic linker makes one object of a symbol that GCC emits as "unique", whichever libraries
// have it: that is what it does with static members of templates, if they are visible. Clang emits
// them weak; scripts/unique-symbols.mjs makes them unique in the prebuilds for glibc. Where that is
// not to be had each copy has tables of its own, knows it by the tables' address, and refuses the
// handles of another.
#pragma once

#include "../core/layout.h"

#ifdef __GNUC__
#define THREADSAFE_PROCESS_WIDE __attribute__((visibility("default")))
#else
#define THREADSAFE_PROCESS_WIDE
#endif

namespace threadsafe {

// The version of all that is shared so. It grows with each change of what the tables hold, or of
// how they are used; copies of other versions have tables of their own.
inline constexpr u32 kTablesVersion = 4;

// The tables hold mutexes: two C++ libraries need not agree on those.
#ifdef _LIBCPP_VERSION
inline constexpr u32 kProcessVersion = 2 * kTablesVersion + 1;
#else
inline constexpr u32 kProcessVersion = 2 * kTablesVersion;
#endif

}  // namespace threadsafe
