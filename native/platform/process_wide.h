// Shares state between all copies of the addon in one process. npm may install the package several
// times, and each copy brings an addon of its own. A handle of one works in another, as long as
// both find their sleepers, doorbells and staging areas in the same tables.
//
// The dynamic linker makes one object of a symbol that is marked "unique", however many libraries
// have it. GCC marks visible static members of templates so. Clang emits them weak;
// scripts/unique-symbols.mjs makes them unique in the prebuilds for glibc. Elsewhere each copy has
// tables of its own, notices that by the tables' address, and refuses the handles of another copy.
#pragma once

#include "../core/layout.h"

#ifdef __GNUC__
#define THREADSAFE_PROCESS_WIDE __attribute__((visibility("default")))
#else
#define THREADSAFE_PROCESS_WIDE
#endif

namespace threadsafe {

// The version of everything shared like this. It grows with each change of what the tables hold, or
// of how they are used. Copies of other versions have tables of their own.
inline constexpr u32 kTablesVersion = 5;

// The tables hold mutexes: two C++ libraries need not agree on those.
#ifdef _LIBCPP_VERSION
inline constexpr u32 kProcessVersion = 2 * kTablesVersion + 1;
#else
inline constexpr u32 kProcessVersion = 2 * kTablesVersion;
#endif

}  // namespace threadsafe
