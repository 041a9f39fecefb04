// Doorbells: how any context, a signal handler included, makes an event loop come round.
// uv_async_send is the one libuv call that is safe in a signal handler; it is not safe on a handle
// whose loop is gone, and that is what this table adds.
//
// Each event loop that waits has one doorbell, named by a small number. Doorbells live in static
// storage that is never freed, and a late ring does nothing:
//
//     ring     enter; uv_async_send; leave
//     close    retire; only then close the handle
//
// core/use_count.h does that. A ringer is inside for the length of one system call and waits for
// nothing, so the closer's wait is short.
//
// A ring for a wait list leaves that list's address, so that the loop looks there alone. So the
// cost of an item does not grow with what else the loop waits for. There is room for some dozens of
// lists; if there was none left, the loop looks everywhere.
#pragma once

#include <uv.h>

#include <array>

#include "../core/layout.h"

namespace threadsafe {

inline constexpr u32 kNoDoorbell = ~u32{0};
inline constexpr u32 kRungLists = 64;

// The lists that a doorbell was rung for, as addresses; their memory may be gone.
struct Rung {
  std::array<const WaitList*, kRungLists> lists;
  u32 count = 0;
  bool everything = false;
};

// Identifies the tables that this copy of the addon uses. Copies with the same tables can ring each
// other's loops, and take each other's handles (process_wide.h).
u64 doorbell_table_id();

// Opens a doorbell on that loop; on_ring runs there with `data`. Returns kNoDoorbell if all are in
// use or libuv refuses. `tells_idle`: this loop is libuv's own, and can be asked whether it is
// idle.
u32 open_doorbell(uv_loop_t* loop, bool tells_idle, void (*on_ring)(void* data), void* data);

// Never blocks, and takes any number, even of a doorbell that was closed. Without a list the loop
// comes round, and has nothing to look at. [signal-safe]
void ring_doorbell(u32 doorbell, const WaitList* list = nullptr);

// True if that loop waits in its poll phase, with nothing to do, so that it hears a ring at once.
// Takes a lock of libuv's: not for signal handlers.
bool is_loop_idle(u32 doorbell);

// Returns what the open doorbell was rung for since the last call. Only on that loop's thread.
Rung take_rung(u32 doorbell);

// Sets whether an open doorbell keeps its loop alive. At first it does not. Only on that loop's
// thread.
void keep_loop_alive(u32 doorbell, bool alive);

// Closes the doorbell. Only on that loop's thread; closed(data) runs there when the number may be
// used again.
void close_doorbell(u32 doorbell, void (*closed)(void* data), void* data);

}  // namespace threadsafe
