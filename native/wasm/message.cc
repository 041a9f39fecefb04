// The module of a queue whose items are messages: records, arrays, strings, bytes, anything that is
// encoded. An item passes through this thread's staging area.
#include "../core/questions.h"
#include "../core/queue.h"
#include "../core/slots.h"
#include "queue_module.h"
#include "spinning.h"

namespace {

using namespace threadsafe;

auto slots() { return StraightSlots(queue_header(), geometry()); }
auto queue() { return Queue<StraightSlots, QueueWake>(queue_header(), geometry(), slots(), QueueWake{}); }

// The longest that a get can free without a loop, and that an area holds.
u32 most_bytes() {
  const u32 several = spans(geometry().type) ? StraightSlots::kMostSlots : 1;
  const u32 bytes = several * geometry().item_bytes + head_bytes(geometry().type);
  return bytes < kStagingBytes ? bytes : kStagingBytes;
}

}  // namespace

// The item of that length in that staging area. `heeding`: as the first try of a put that may wait,
// which lets a put of several slots that has waited go first: `busy` then, as the addon knows whose
// that is.
EXPORT("put") int put(u32 area, u32 bytes, int heeding) {
  // Sequentially consistent, as in Queue::attempt_waiting_put.
  if (heeding && queue_header().token.load(memory_order_seq_cst) != 0) return static_cast<int>(Status::busy);
  const std::byte* const from = staging(area);
  return static_cast<int>(settle_soon([=] { return queue().attempt_put(bytes, [=](const Span& span) { slots().copy_in(span, from); }); }));
}

// Its length, or a status as its negative: `too_small` if it is longer than can be got here.
EXPORT("get") int get(u32 area) {
  std::byte* const to = staging(area);
  u32 length = 0;
  const Status status = settle_soon([&] {
    return queue().attempt_get(most_bytes(), [&](const Span& span) {
      slots().copy_out(span, to);
      length = span.bytes;
    });
  });
  return done_or(status, length);
}

EXPORT("ask") int ask(Question question) {
  switch (question) {
    case Question::size:
      return static_cast<int>(queue().size());
    case Question::full:
      return queue().full();
    case Question::closed:
      return queue().closed();
    default:
      return 0;
  }
}
