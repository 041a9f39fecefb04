// The module of a queue of cells, for one type of cell: ELEMENT, whose values come from JavaScript
// as PARAMETER and go there as RESULT. A parameter that is wider is cut off as typed arrays do. One
// call puts or gets one cell, or a block of them by way of this thread's staging area.
#include "../core/questions.h"
#include "../core/queue.h"
#include "../core/slots.h"
#include "queue_module.h"
#include "spinning.h"

namespace {

using namespace threadsafe;

auto slots() { return CellSlots(queue_header()); }
auto queue() { return Queue<CellSlots, QueueWake>(queue_header(), geometry(), slots(), QueueWake{}); }

// The reason why the last get of this instance brought nothing. A WebAssembly global, like `idled`.
__attribute__((address_space(1))) Status last_status;

ELEMENT* block(u32 area) { return reinterpret_cast<ELEMENT*>(staging(area)); }

}  // namespace

EXPORT("put") int put(PARAMETER value) {
  return static_cast<int>(
      queue().attempt_put(sizeof(ELEMENT), [=](const Span& span) { slots().value<ELEMENT>(span.index) = static_cast<ELEMENT>(value); }));
}

// Returns NaN, or the bigint 0, when there is nothing. As that may also be an item, the caller then
// asks for the status.
EXPORT("get") RESULT get() {
  RESULT result = std::is_floating_point_v<RESULT> ? static_cast<RESULT>(__builtin_nan("")) : RESULT{};
  last_status = queue().attempt_get(~u32{0}, [&](const Span& span) { result = slots().value<ELEMENT>(span.index); });
  return result;
}

// Puts `count` cells, at most as many as the area of that number holds. Returns how many, or a
// negated status.
EXPORT("put_block") int put_block(u32 area, u32 count) {
  u32 done;
  const ELEMENT* const from = block(area);
  const Status status =
      queue().try_put_in_runs(count, sizeof(ELEMENT), done, [=](u32 index, u32 k) { slots().value<ELEMENT>(index) = from[k]; });
  return done_or(status, done);
}
EXPORT("get_block") int get_block(u32 area, u32 most) {
  u32 done;
  ELEMENT* const to = block(area);
  const Status status = queue().try_get_in_runs(most, done, [=](u32 index, u32 k) { to[k] = slots().value<ELEMENT>(index); });
  return done_or(status, done);
}

// One function serves all questions without arguments, since each export of an instance costs 240
// bytes of V8's heap, for every queue in every thread.
EXPORT("ask") int ask(Question question) {
  switch (question) {
    case Question::status:
      return static_cast<int>(last_status);
    case Question::size:
      return static_cast<int>(queue().size());
    case Question::full:
      return queue().full();
    case Question::closed:
      return queue().closed();
    case Question::spin_for_item:
      return spin_for_item(queue());
    case Question::spin_for_room:
      return spin_for_room(queue(), [] { return geometry().capacity - queue().size(); });
  }
  return 0;
}
