// A queue in a model. Its payloads are plain variables whose races Relacy finds.
#pragma once

#include "core/queue.h"
#include "core/select.h"
#include "parking_model.h"

namespace threadsafe::model {

inline constexpr u32 kPayloadBytes = 8;

template <u32 capacity>
struct ModelSlots {
  static constexpr bool kMaySpan = true;
  static constexpr u32 kMostSlots = 0;

  struct Memory {
    Atomic<u64> stamps[capacity];
    rl::var<u32> payloads[capacity];
  };

  Atomic<u64>& stamp(u32 index) const { return memory->stamps[index]; }

  // Writes a message's number into each of its slots.
  void write(const Span& span, u32 number) const {
    for (u32 k = 0; k < span.slots; k++) memory->payloads[(span.index + k) % capacity]($) = number;
  }
  u32 read(const Span& span) const {
    const u32 number = memory->payloads[span.index]($);
    for (u32 k = 1; k < span.slots; k++) RL_ASSERT(u32(memory->payloads[(span.index + k) % capacity]($)) == number);
    return number;
  }

  Memory* memory;
};

struct QueueWake {
  void one(WaitList& list) {
    Waker waker{of(list), loops};
    wake_one(list, waker);
  }
  void all(WaitList& list) {
    Waker waker{of(list), loops};
    wake_all(list, waker);
  }
  Parking& of(WaitList& list) { return &list == &header->not_empty ? *not_empty : *not_full; }

  QueueHeader* header;
  Parking* not_empty;
  Parking* not_full;
  Loops* loops;
};

// The patience of settle(). It never ends, as nobody dies in the middle of a copy here.
inline bool yield() {
  rl::yield(1, $);
  return true;
}

template <u32 capacity, bool spanning = false, Overflow overflow = Overflow::reject>
class ModelQueue {
 public:
  ModelQueue() {
    lay_out(header_.geometry, spanning ? ElementType::bytes : ElementType::uint32, capacity, kPayloadBytes);
    header_.geometry.overflow = overflow;
    unparks_.set_lists(header_.not_empty, &header_.not_full);
  }

  // Begins as after 2^32 - 2 items, in the last lap before positions begin again.
  void start_late() {
    const u32 lap = kPositionMask >> header_.geometry.index_bits;
    const u64 word = pack(~u32{1}, lap << header_.geometry.index_bits);
    header_.head.store(word, memory_order_relaxed);
    header_.tail.store(word, memory_order_relaxed);
    header_.done.store(high(word), memory_order_relaxed);
    for (auto& stamp : memory_.stamps) stamp.store(2 * lap, memory_order_relaxed);
  }

  auto core() { return Queue(header_, header_.geometry, slots_, QueueWake{&header_, &not_empty_, &not_full_, loops_}); }

  Status try_put(u32 number, u32 slots = 1) { return core().try_put(slots * kPayloadBytes, writer(number)); }
  Status try_get(u32& number) { return core().try_get(~u32{0}, reader(number)); }

  // The calls of threads that may wait for another's copy.
  Status put_exactly(u32 number, u32 slots = 1) {
    return settle(yield, [&] { return core().attempt_put(slots * kPayloadBytes, writer(number)); });
  }
  Status get_exactly(u32& number) {
    return settle(yield, [&] { return core().attempt_get(~u32{0}, reader(number)); });
  }
  Status offer_exactly(u32 number, u32 slots = 1) {
    return settle(yield, [&] { return core().attempt_offer(slots * kPayloadBytes, writer(number)); });
  }

  // The call of a signal handler.
  Status offer(u32 number, u32 slots = 1) { return core().offer(slots * kPayloadBytes, writer(number)); }

  // Calls strike() in the middle of the copy, as a handler would strike.
  template <class Strike>
  Status get_and(u32& number, Strike&& strike) {
    return core().attempt_get(~u32{0}, [&](const Span& span) {
      strike();
      number = slots_.read(span);
      strike();
    });
  }
  template <class Strike>
  Status put_and(u32 number, u32 slots, Strike&& strike) {
    return core().attempt_put(slots * kPayloadBytes, [&](const Span& span) {
      strike();
      slots_.write(span, number);
      strike();
    });
  }

  // The calls that a signal handler may make; see Helper.
  Status try_put_in_handler(Helper& helper, u32 number) {
    return in_handler(helper, [&](auto core) { return core.try_put(kPayloadBytes, writer(number)); });
  }
  Status try_get_in_handler(Helper& helper) {
    u32 number;
    return in_handler(helper, [&](auto core) { return core.try_get(~u32{0}, reader(number)); });
  }
  void close_in_handler(Helper& helper) {
    in_handler(helper, [](auto core) {
      core.close();
      return Status::ok;
    });
  }
  void make_unparks() {
    unparks_.make([this](const WaitList& list, u32 most) { (&list == &header_.not_empty ? not_empty_ : not_full_).unpark(most); });
  }

  // Does what try_put does, and sets `claimed` while its slot is claimed but not published.
  Status try_put_telling(u32 number, Atomic<u32>& claimed) {
    return core().try_put(kPayloadBytes, [&](const Span& span) {
      claimed.store(1, memory_order_relaxed);
      slots_.write(span, number);
    });
  }

  // Puts `count` numbers, beginning with `first`.
  Status try_put_many(u32 first, u32 count, u32& done) {
    return core().try_put_many(count, kPayloadBytes, done, [this, first](u32 index, u32 k, u32 n) {
      for (u32 i = 0; i < n; i++) slots_.write({index + i, 1, 0}, first + k + i);
    });
  }
  // Gets as many as `numbers` has room for.
  template <u32 kMost>
  Status try_get_many(u32 (&numbers)[kMost], u32& done) {
    return core().try_get_many(kMost, done, [&](u32 index, u32 k, u32 n) {
      for (u32 i = 0; i < n; i++) numbers[k + i] = slots_.read({index + i, 1, 0});
    });
  }

  // The same as WebAssembly does it.
  Status try_put_in_runs(u32 first, u32 count, u32& done) {
    return core().try_put_in_runs(count, kPayloadBytes, done, [=, this](u32 index, u32 k) { slots_.write({index, 1, 0}, first + k); });
  }
  template <u32 kMost>
  Status try_get_in_runs(u32 (&numbers)[kMost], u32& done) {
    return core().try_get_in_runs(kMost, done, [&](u32 index, u32 k) { numbers[k] = slots_.read({index, 1, 0}); });
  }
  Status try_get_as_message(u32& number) {
    u32 done;
    return core().try_get_messages(
        1, done, [] { return ~u32{0}; }, [](const auto&) { return true; }, [&](const Span& span, u32) { number = slots_.read(span); });
  }

  template <u32 kRun>
  bool try_put_run(u32 first) {
    return ring().template try_put_run<kRun>(kPayloadBytes, [=, this](u32 index, u32 k) { slots_.write({index, 1, 0}, first + k); });
  }
  template <u32 kRun>
  bool try_get_run(u32 (&numbers)[kRun]) {
    return ring().template try_get_run<kRun>([&](u32 index, u32 k) { numbers[k] = slots_.read({index, 1, 0}); });
  }

  // Puts messages of these numbers of slots. Their numbers begin with `first`.
  template <u32 kRun>
  bool try_put_messages(u32 first, const u32 (&slots)[kRun]) {
    u32 bytes[kRun];
    for (u32 k = 0; k < kRun; k++) bytes[k] = slots[k] * kPayloadBytes;
    return ring().try_put_messages(
        bytes, [](u32 of_message) { return of_message / kPayloadBytes; },
        [=, this](const Span& span, u32 k) { slots_.write(span, first + k); });
  }
  template <u32 kRun>
  bool try_get_messages(u32 (&numbers)[kRun]) {
    // As in Queue::slots_of(), an empty message has a slot as well.
    const auto slots_of = [](u32 bytes) { return bytes == 0 ? 1 : bytes / kPayloadBytes; };
    return ring().template try_get_messages<kRun>(
        slots_of, [](const auto&) { return true; }, [&](const Span& span, u32 k) { numbers[k] = slots_.read(span); });
  }

  Status put(u32 number, u32 slots = 1, u32 putter = 1) {
    Parker parker(not_full_);
    return core().put(parker, putter, slots * kPayloadBytes, writer(number));
  }
  Status put_with_deadline(u32 number, u32 slots = 1, u32 putter = 1) {
    Parker parker(not_full_, true);
    return unless_busy(core().put(parker, putter, slots * kPayloadBytes, writer(number)));
  }
  Status put_many(u32 first, u32 count, u32& done) {
    return core().put_many([this] { return Parker(not_full_); }, count, kPayloadBytes, done,
                           [this, first](u32 index, u32 k, u32 n) {
                             for (u32 i = 0; i < n; i++) slots_.write({index + i, 1, 0}, first + k + i);
                           });
  }
  void take_token(Putter putter, u32 slots) {
    RL_ASSERT(core().attempt_waiting_put(putter, true, slots * kPayloadBytes, writer(0)) == Status::full);
  }
  // A put at a thread's first try of a call that may wait, and one that was held back for too long.
  Status first_put(u32 number, u32 putter) { return core().attempt_waiting_put({putter, false}, false, kPayloadBytes, writer(number)); }
  Status put_past_token(u32 number) { return core().put_past_token(kPayloadBytes, writer(number)); }
  u64 token() const { return header_.token.load(memory_order_seq_cst); }

  Status get(u32& number, u32 limit = ~u32{0}) {
    Parker parker(not_empty_);
    return core().get(parker, limit, reader(number));
  }
  Status get_with_deadline(u32& number, u32 limit = ~u32{0}) {
    Parker parker(not_empty_, true);
    return unless_busy(core().get(parker, limit, reader(number)));
  }

  // Sets the loops that wait at this queue.
  void set_loops(Loops& loops) { loops_ = &loops; }
  WaitList& not_full_list() { return header_.not_full; }
  WaitList& joins_list() { return header_.all_done; }

  // The functions of a source of wait_any().
  WaitList& list() { return header_.not_empty; }
  bool ready() { return get_ready(header_, header_.geometry, slots_); }
  void pass_on() { core().pass_on_get(); }
  Parking& parking() { return not_empty_; }

  void until_announced(u32 threads) { model::until_announced(header_.not_empty, threads); }
  void until_announced_to_put(u32 threads) { model::until_announced(header_.not_full, threads); }

  u32 dropped() const { return header_.dropped.load(memory_order_relaxed); }

  // Checks that nothing is left behind: every announcement and every permit is gone.
  void check_nobody_waits() {
    RL_ASSERT(header_.not_empty.state.load(memory_order_seq_cst) == 0);
    RL_ASSERT(header_.not_full.state.load(memory_order_seq_cst) == 0);
    RL_ASSERT(header_.token.load(memory_order_seq_cst) == 0);
  }

 private:
  template <class Call>
  Status in_handler(Helper& helper, Call&& call) {
    bool noted = false;
    const Status status = call(Queue(header_, header_.geometry, slots_, HandlerWake{{unparks_, noted}}));
    if (noted) helper.call();
    return status;
  }

  auto ring() { return Ring(header_.tail, header_.head, Positions{header_.geometry.capacity, header_.geometry.index_bits}, slots_); }

  // Returns the status of a call that may not wait for another's copy, as its deadline has passed.
  static Status unless_busy(Status status) { return status == Status::busy ? Status::timeout : status; }

  auto writer(u32 number) {
    return [this, number](const Span& span) { slots_.write(span, number); };
  }
  auto reader(u32& number) {
    return [this, &number](const Span& span) { number = slots_.read(span); };
  }

  QueueHeader header_;
  typename ModelSlots<capacity>::Memory memory_;
  ModelSlots<capacity> slots_{&memory_};
  Parking not_empty_;
  Parking not_full_;
  DeferredUnparks unparks_;
  Loops* loops_ = nullptr;
};

}  // namespace threadsafe::model
