// Which area of a queue's memory is this thread's, for blocks of cells (core/layout.h): a number that is taken for as long as the thread's
// isolate lives, the same for every queue.
#pragma once

#include "../core/layout.h"

namespace threadsafe {

inline constexpr u32 kNoBlockArea = ~u32{0};

// kNoBlockArea when all are taken.
u32 take_block_area();

void give_back_block_area(u32 number);

}  // namespace threadsafe
