// The priority token of putters that wait where messages span slots. Without it, a message of four
// slots waits for ever while others put small ones into each slot that falls free. A waiting put of
// several slots that has been woken and still lacks room takes the token, one word of the queue:
//
//     token  | rounds : 2 | its slots : 30 | of a loop : 1 | putter : 31 |
//
// While it has the token, the other puts that may wait act as if the queue were full, at their
// first try as well. It puts, or gives up, then clears the token and wakes them all. Calls that do
// not wait take no notice of tokens. Clearing the token is an ordinary change in the sense of
// wait.h: it is stored, then the list is looked at, both sequentially consistent.
//
// The token of an event loop is weaker, since a loop may not come round for long. Others go ahead
// where there is room for both. They also go ahead where the queue is empty, but not once the loop
// has come round in vain three times (`rounds`): such a loop does come, and threads would always be
// quicker.
//
// The thread that is held back may be the one whose gets would make the room. So a put that was
// held back for long, while nothing was got, goes ahead (Queue::put_past_token). Its caller
// measures the time.
#pragma once

#include "layout.h"
#include "positions.h"

namespace threadsafe {

inline constexpr u32 kTokenOfLoop = u32{1} << 31;
inline constexpr u64 kOneRound = u64{1} << 62;
inline constexpr u64 kRounds = 3 * kOneRound;

// Returns the number of the putter that has the token, 0 if none has.
constexpr u32 token_holder(u64 token) { return low(token) & ~kTokenOfLoop; }

// Identifies who puts: a number from 1 to below 2^31 for each thread, and whether it is that
// thread's event loop, or the thread itself, blocked.
struct Putter {
  u32 number;
  bool is_loop;
};

class PriorityToken {
 public:
  PriorityToken(Atomic<u64>& word, u32 capacity) : token_(word), capacity_(capacity) {}

  // Sequentially consistent: the try of wait.h.
  u64 load() const { return token_.load(memory_order_seq_cst); }

  // Whether a put of so many slots must let the holder of that token go first.
  template <class Ring>
  bool must_let(u64 holder, Putter putter, u32 slots, const Ring& ring) const {
    if (token_holder(holder) == 0 || token_holder(holder) == putter.number) return false;
    if (!(low(holder) & kTokenOfLoop)) return true;
    const u64 both = (high(holder & ~kRounds)) + u64{slots};
    if (both <= capacity_) return !ring.has_room(static_cast<u32>(both));
    return (holder & kRounds) == kRounds || !ring.has_room(capacity_);
  }

  // Called by a putter that saw that token and was woken in vain: takes it if it is free, or counts
  // the round. Loops, as a spurious failure would leave a starving putter without its token.
  void woken_in_vain(u64 holder, u32 slots, Putter putter) {
    for (u64 next; (next = after_vain(holder, slots, putter)) != holder;) {
      if (token_.compare_exchange_weak(holder, next, memory_order_seq_cst, memory_order_seq_cst)) break;
    }
  }

  // Returns false if that putter does not have it.
  bool clear(Putter putter) {
    if (low(load()) != name_of(putter)) return false;
    token_.store(0, memory_order_seq_cst);
    return true;
  }

  void forget_rounds() {
    u64 holder = load();
    while ((holder & kRounds) != 0 &&
           !token_.compare_exchange_weak(holder, holder & ~kRounds, memory_order_seq_cst, memory_order_seq_cst)) {
    }
  }

 private:
  static constexpr u32 name_of(Putter putter) { return putter.number | (putter.is_loop ? kTokenOfLoop : 0); }

  static constexpr u64 after_vain(u64 holder, u32 slots, Putter putter) {
    if (holder == 0) return pack(slots, name_of(putter));
    const bool comes_round = putter.is_loop && low(holder) == name_of(putter) && (holder & kRounds) != kRounds;
    return comes_round ? holder + kOneRound : holder;
  }

  Atomic<u64>& token_;
  const u32 capacity_;
};

}  // namespace threadsafe
