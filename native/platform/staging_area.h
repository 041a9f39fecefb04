// Which staging area of a queue's memory is this thread's (core/layout.h): a number that is taken
// for as long as the thread's isolate lives, the same for every queue.
#pragma once

#include "../core/layout.h"

namespace threadsafe {

inline constexpr u32 kNoStagingArea = ~u32{0};

// Returns kNoStagingArea when all are taken.
u32 take_staging_area();

void give_back_staging_area(u32 number);

}  // namespace threadsafe
