// The module of a queue whose items are messages: records, arrays, strings, bytes, anything that is
// encoded. An item passes through this thread's staging area, and so do several items together:
//
//     area    | lengths, of 4 bytes each | the messages, one after the other |
//
// A text is a message of a queue of strings without its head, and its length has kWide added if its
// characters are not of one byte. Texts follow each other without a gap, so JavaScript writes and
// reads all of them as one string. Other messages begin at multiples of 8 bytes; on their way in
// each has 8 bytes in front of it, as they were packed.
#include "../core/questions.h"
#include "../core/queue.h"
#include "../core/slots.h"
#include "queue_module.h"
#include "spinning.h"

namespace {

using namespace threadsafe;

auto slots() { return StraightSlots(queue_header(), geometry()); }
auto queue() { return Queue<StraightSlots, QueueWake>(queue_header(), geometry(), slots(), QueueWake{}); }

// The longest message that a get can free without a loop and that an area holds.
u32 most_bytes() {
  const u32 several = spans(geometry().type) ? StraightSlots::kMostSlots : 1;
  const u32 bytes = several * geometry().item_bytes + head_bytes(geometry().type);
  return bytes < kStagingBytes ? bytes : kStagingBytes;
}

u32* lengths_in(u32 area) { return reinterpret_cast<u32*>(staging(area)); }

// The places of messages in an area: the next one, and the bytes around each.
struct Together {
  explicit Together(bool texts, u32 gap) : head(texts ? kHeadBytes : 0), gap(gap), unit(texts ? 1 : kHeadBytes) {}

  // JavaScript may have written anything to the memory.
  u32 bounded(u32 bytes) const { return bytes < kStagingBytes - at ? bytes : kStagingBytes - at; }
  u32 own_bytes(u32 bytes) const { return bytes < head ? 0 : bytes - head; }
  void pass(u32 bytes) { at += (bytes + unit - 1) & ~(unit - 1); }

  const u32 head;
  const u32 gap;
  const u32 unit;
  u32 at = kTogetherBytes;
};

}  // namespace

// Puts the item of that length in that staging area. `heeding` is not 0 for the first try of a put
// that may wait, which lets a put with the priority token go first. It returns `busy` then, as the
// addon knows whose token that is.
EXPORT("put") int put(u32 area, u32 bytes, int heeding) {
  // Sequentially consistent, as in Queue::attempt_waiting_put.
  if (heeding && queue_header().token.load(memory_order_seq_cst) != 0) return static_cast<int>(Status::busy);
  const std::byte* const from = staging(area);
  return static_cast<int>(queue().attempt_put(bytes, [=](const Span& span) { slots().copy_in(span, from); }));
}

// Gets an item into that area. Returns its length, or a negated status: `too_small` if it is longer
// than can be got here.
EXPORT("get") int get(u32 area) {
  std::byte* const to = staging(area);
  u32 length = 0;
  const Status status = queue().attempt_get(most_bytes(), [&](const Span& span) {
    slots().copy_out(span, to);
    length = span.bytes;
  });
  return done_or(status, length);
}

// Puts `count` messages, or texts. Returns how many are in, or a negated status. `heeding` is as
// for put.
EXPORT("put_many") int put_many(u32 area, u32 count, int texts, int heeding) {
  // As in put().
  if (heeding && queue_header().token.load(memory_order_seq_cst) != 0) return -static_cast<int>(Status::busy);
  Together place(texts, texts ? 0 : kHeadBytes);
  u32 done;
  const Status status = queue().try_put_messages(
      count, done, [&](u32 k) { return place.head + (lengths_in(area)[k] & (kStagingBytes - 1)); },
      [&](const Span& span, u32) {
        // The head of a text. Other messages bring their own, which is copied over it.
        std::memset(slots().payload(span.index), 0, kHeadBytes);
        place.at += place.bounded(place.gap);
        slots().copy_in(span, place.head, staging(area) + place.at, place.bounded(span.bytes - place.head));
        place.pass(span.bytes - place.head);
      });
  return done_or(status, done);
}

// Gets as many messages, or texts, as there are and the area holds, at most `most`. Returns
// likewise.
EXPORT("get_many") int get_many(u32 area, u32 most, int texts) {
  Together place(texts, 0);
  u32 done;
  const Status status = queue().try_get_messages(
      most, done,
      [&] {
        const u32 room = place.bounded(kStagingBytes) + place.head;
        return room < most_bytes() ? room : most_bytes();
      },
      [&](const auto& bytes) {
        u64 end = place.at;
#pragma GCC unroll 32
        for (const u32 of_one : bytes) end += round_up(of_one, place.unit);
        return end <= kStagingBytes;
      },
      [&](const Span& span, u32 k) {
        const u32 bytes = place.own_bytes(span.bytes);
        slots().copy_out(span, place.head, staging(area) + place.at, bytes);
        const bool wide = place.head > 0 && *slots().payload(span.index) != std::byte{0};
        lengths_in(area)[k] = wide ? bytes | kWide : bytes;
        place.pass(bytes);
      });
  return done_or(status, done);
}

EXPORT("ask") int ask(Question question) {
  switch (question) {
    case Question::size:
      return static_cast<int>(queue().size());
    case Question::full:
      return queue().full();
    case Question::closed:
      return queue().closed();
    case Question::spin_for_item:
      return spin_for_item(queue());
    case Question::spin_for_room:
      // This counts slots, as a long item leaves room for many short ones, or for none.
      return spin_for_room(queue(), [] { return queue().has_room(kManyItems) ? kManyItems : 0; });
    default:
      return 0;
  }
}
