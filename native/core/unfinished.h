// Items that are unfinished, and the joins that wait until none is. An item is finished when it was
// reported done, evicted or discarded.
#pragma once

#include "layout.h"
#include "positions.h"
#include "wait.h"

namespace threadsafe {

// A join compares this with `last_all_done`, which says how often joins were woken, and how many
// items had been put the last time:
//
//     last_all_done  | times, mod 2^32 : 32 | items put, mod 2^32 : 32 |
struct JoinStart {
  u32 times;
  u32 puts;
};

class Unfinished {
 public:
  explicit Unfinished(QueueHeader& header) : header_(header) {}

  // The number of unfinished items, mod 2^32.
  u32 count() const {
    u32 puts;
    return count(puts);
  }

  // Counts that many of the items got as done. Returns false, and changes nothing, if fewer were
  // got and not reported yet. One that is being dropped counts as got for the moment until it is
  // counted, and a report too many is accepted then.
  bool report(u32 items) {
    // Acquire: whoever sees that an item was reported sees that it was got.
    u32 done = header_.done.load(memory_order_acquire);
    do {
      if (got() - done < items) return false;
      // Sequentially consistent: see note_end().
    } while (!header_.done.compare_exchange_weak(done, done + items, memory_order_seq_cst, memory_order_acquire));
    return true;
  }

  // What a join remembers of the moment when it began.
  JoinStart join_start() const {
    // Sequentially consistent, to keep the order: `times` first, so that no change of the word is
    // overlooked.
    const u32 times = high(header_.last_all_done.load(memory_order_seq_cst));
    return {times, items_in(header_.tail)};
  }

  // Whether nothing is unfinished now, or was at some moment since that join began. The latter is
  // known where the word has changed since and its count of puts is not smaller: an older
  // observation would have been made before the last of those puts.
  bool all_done(JoinStart start) const {
    if (count() == 0) return true;
    const u64 last = header_.last_all_done.load(memory_order_seq_cst);  // the try of wait.h
    return high(last) != start.times && static_cast<std::int32_t>(low(last) - start.puts) >= 0;
  }

  // Called by whoever has counted items as done, evicted or discarded. If joins wait and nothing is
  // unfinished, writes that down and returns true: the caller wakes all joins. No wake is lost: the
  // count was changed, then the list is looked at; a join announces its loop, then adds up the
  // counts; all sequentially consistent. Of those who finish the last items, the one whose change
  // comes last sees the changes of all. Either it sees the announcement and that nothing is
  // unfinished, or the announcement came later and the join sees the counts. The observation is
  // written down before the wake: other items may be put before a loop comes round. [signal-safe]
  bool note_end() {
    if (!someone_waits(header_.all_done)) return false;
    u64 last = header_.last_all_done.load(memory_order_seq_cst);
    u32 puts;
    do {
      // Counted anew after each failure, so that `puts` in the word never becomes smaller.
      if (count(puts) != 0) return false;
    } while (!header_.last_all_done.compare_exchange_weak(last, pack(high(last) + 1, puts), memory_order_seq_cst, memory_order_seq_cst));
    return true;
  }

 private:
  // `puts` is how many items were put. The counts of finished items are read first. They only grow,
  // and an item is put before it is finished. So 0 means that all `puts` items were finished, and
  // no other had been put, when the last of those counts was read. Sequentially consistent: the try
  // of wait.h.
  u32 count(u32& puts) const {
    const u32 done = header_.done.load(memory_order_seq_cst);
    const u32 dropped = this->dropped();
    puts = items_in(header_.tail);
    return puts - dropped - done;
  }

  // The number of items got and not dropped, at a moment of this call, mod 2^32. Looks again if some
  // were dropped meanwhile, which would be missing from one of the two numbers.
  u32 got() const {
    for (;;) {
      const u32 dropped = this->dropped();
      const u32 taken = items_in(header_.head);
      if (this->dropped() == dropped) return taken - dropped;
    }
  }

  // The number of items evicted or discarded, mod 2^32. Sequentially consistent, as what is read
  // before and after it must keep its place.
  u32 dropped() const { return header_.evicted.load(memory_order_seq_cst) + header_.discarded.load(memory_order_seq_cst); }

  QueueHeader& header_;
};

}  // namespace threadsafe
