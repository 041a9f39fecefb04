// A queue: the ring, its two wait lists, and closing. Its calls run in a worker, an event loop, a
// native thread and (try_put, try_get, offer) in a signal handler. Waiting puts heed the priority
// token (token.h); joins wait until no item is unfinished (unfinished.h).
#pragma once

#include "layout.h"
#include "ring.h"
#include "status.h"
#include "token.h"
#include "unfinished.h"
#include "wait.h"

namespace threadsafe {

// Counts are mod 2^32.
struct QueueStats {
  u32 depth;
  u32 puts;  // accepted
  u32 gets;
  u32 dropped;
  u32 discarded;
  u32 waiting_gets;
  u32 waiting_puts;
  u32 unfinished;  // put, and neither reported done nor dropped since
};

// For callers that may wait for another's copy: tries until the attempt is not `busy`, or
// patience() is at its end and returns false. That pauses, for longer and longer: a copy takes no
// time, but whoever is in the middle of it may have been preempted, or have died.
template <class Patience, class Attempt>
Status settle(Patience&& patience, Attempt&& attempt) {
  Status status;
  do {
    status = attempt();
  } while (status == Status::busy && patience());
  return status;
}

// Wake: one(list) and all(list), called when someone waits there. The geometry must outlive the
// queue; see Geometry for whose it is.
template <class Slots, class Wake>
class Queue {
 public:
  Queue(QueueHeader& header, const Geometry& geometry, Slots slots, Wake wake)
      : header_(header),
        geometry_(geometry),
        ring_(header.tail, header.head, Positions{geometry.capacity, geometry.index_bits}, slots),
        token_(header.token, geometry.capacity),
        unfinished_(header),
        wake_(wake),
        spans_(Slots::kMaySpan && threadsafe::spans(geometry.type)) {}

  // The number of slots of a message of that length. If that is more than the capacity, it never
  // fits.
  u32 slots_of(u32 bytes) const {
    const u32 one = geometry_.item_bytes + head_bytes(geometry_.type);
    return !spans_ || bytes <= one ? 1 : 1 + (bytes - one + geometry_.item_bytes - 1) / geometry_.item_bytes;
  }

  // The calls that do not wait come in two forms. attempt_put, attempt_get, attempt_offer and those
  // of batches return `busy` where somebody else is in the middle of a copy that decides, for
  // callers that may wait for that: they try again (settle, below), and what they are told then is
  // exact. try_put, try_get and offer are for signal handlers, which may have interrupted that very
  // copy: they take busy for full or empty.

  // ok, full, closed or busy. [signal-safe]
  template <class Write>
  Status attempt_put(u32 bytes, Write&& write) {
    const Status status = ring_.try_put(slots_of(bytes), bytes, write);
    if (status == Status::ok && someone_waits(header_.not_empty)) wake_.one(header_.not_empty);
    return status;
  }

  // ok, full or closed. [signal-safe]
  template <class Write>
  Status try_put(u32 bytes, Write&& write) {
    return unless_busy(attempt_put(bytes, write), Status::full);
  }

  // ok, empty, closed, busy or too_small: the next item is longer than `limit`; or damaged.
  // [signal-safe]
  template <class Read>
  Status attempt_get(u32 limit, Read&& read) {
    const Status status = ring_.try_get(limit, [this](u32 bytes) { return slots_found(bytes); }, read);
    if (status == Status::ok) room_was_made();
    return status;
  }

  // ok, empty, closed or too_small. [signal-safe]
  template <class Read>
  Status try_get(u32 limit, Read&& read) {
    return unless_busy(attempt_get(limit, read), Status::empty);
  }

  // For types of fixed size: up to `most` items of `bytes` each, as many as there is room for;
  // `done` says how many. One wake serves all of them, as whoever leaves a wait passes on what is
  // left: ok, full, closed or busy. [signal-safe]
  template <class Write>
  Status try_put_many(u32 most, u32 bytes, u32& done, Write&& write) {
    const Status status = ring_.try_put_many(most, bytes, done, write);
    if (status == Status::ok && someone_waits_after_many_stores(header_.not_empty)) wake_.one(header_.not_empty);
    return status;
  }

  // For types of fixed size: up to `most` items, as many as there are: ok, empty, closed or busy.
  // [signal-safe]
  template <class Read>
  Status try_get_many(u32 most, u32& done, Read&& read) {
    const Status status = ring_.try_get_many(most, done, read);
    if (status == Status::ok && someone_waits_after_many_stores(header_.not_full)) wake_.one(header_.not_full);
    return status;
  }

  // The same for WebAssembly, where no loop may lie between claim and publish. write(index, k),
  // read(index, k).
  template <class Write>
  Status try_put_in_runs(u32 most, u32 bytes, u32& done, Write&& write) {
    const auto next = [&](u32 index, u32 k) { write(index, done + k); };
    return in_runs(
        most, done, header_.not_empty, [&]<u32 kRun>() { return ring_.template try_put_run<kRun>(bytes, next); },
        [&] { return ring_.try_put(1, bytes, [&](const Span& span) { next(span.index, 0); }); });
  }
  template <class Read>
  Status try_get_in_runs(u32 most, u32& done, Read&& read) {
    const auto next = [&](u32 index, u32 k) { read(index, done + k); };
    const auto one = [](u32) { return 1u; };
    return in_runs(
        most, done, header_.not_full, [&]<u32 kRun>() { return ring_.template try_get_run<kRun>(next); },
        [&] { return ring_.try_get(~u32{0}, one, [&](const Span& span) { next(span.index, 0); }); });
  }

  // For WebAssembly as well: messages of any lengths, several of them with one claim. bytes_of(k)
  // tells how long the k-th is. `done` says how many were put: ok if any, else full, closed or
  // busy. They are asked for in order, and written in order: write(span, k).
  template <class BytesOf, class Write>
  Status try_put_messages(u32 count, u32& done, BytesOf&& bytes_of, Write&& write) {
    return in_runs_of_messages(
        count, done, header_.not_empty,
        [&] {
          u32 bytes[kRunOfMessages];
#pragma GCC unroll 32
          for (u32 k = 0; k < kRunOfMessages; k++) bytes[k] = bytes_of(done + k);
          return ring_.try_put_messages(
              bytes, [this](u32 of_message) { return slots_of(of_message); }, [&](const Span& span, u32 k) { write(span, done + k); });
        },
        [&] {
          const u32 bytes = bytes_of(done);
          return ring_.try_put(slots_of(bytes), bytes, [&](const Span& span) { write(span, done); });
        },
        [this] { wake_.one(header_.not_empty); });
  }

  // Up to `most` of them: ok if there are any, else empty, closed, busy, too_small or damaged.
  // room(k) is how long the k-th may be, once those before it were read; fits(k, bytes) whether all
  // of a run may come, from the k-th on.
  template <class Room, class Fits, class Read>
  Status try_get_messages(u32 most, u32& done, Room&& room, Fits&& fits, Read&& read) {
    return in_runs_of_messages(
        most, done, header_.not_full,
        [&] {
          return ring_.template try_get_messages<kRunOfMessages>([this](u32 bytes) { return slots_found(bytes); },
                                                                 [&](const u32(&bytes)[kRunOfMessages]) { return fits(bytes); },
                                                                 [&](const Span& span, u32 k) { read(span, done + k); });
        },
        [&] {
          return ring_.try_get(room(), [this](u32 bytes) { return slots_found(bytes); }, [&](const Span& span) { read(span, done); });
        },
        [this] { wake_putters(); });
  }

  // A put that does not wait, with what the overflow policy does when full: ok, full, closed,
  // dropped or busy. [signal-safe]
  template <class Write>
  Status attempt_offer(u32 bytes, Write&& write) {
    const Status status = attempt_put(bytes, write);
    if (status != Status::full || geometry_.overflow == Overflow::reject) return status;
    if (geometry_.overflow == Overflow::drop_oldest) return attempt_evicting(bytes, write);
    count_dropped();
    return Status::dropped;
  }

  // ok, full, closed or dropped: the new item, also where somebody is between claim and free
  // (perhaps the code that this handler has interrupted), and that room does not come while we
  // look. [signal-safe]
  template <class Write>
  Status offer(u32 bytes, Write&& write) {
    const Status status = attempt_offer(bytes, write);
    return status == Status::busy ? undecided_offer() : status;
  }

  // The outcome of an offer that stays busy: full or dropped.
  Status undecided_offer() {
    if (geometry_.overflow == Overflow::reject) return Status::full;
    count_dropped();
    return Status::dropped;
  }

  void count_dropped() { count_dropped(1); }

  // These words change when puts, or gets, come any further: see settle().
  u64 put_word() const { return ring_.tail_word(); }
  u64 get_word() const { return ring_.head_word(); }

  // Looks at the oldest item and leaves it; see Ring::try_peek. ok, empty, closed, busy, too_small
  // or damaged.
  template <class Look>
  Status try_peek(u32 limit, Look&& look) {
    return ring_.try_peek(limit, [this](u32 bytes) { return slots_found(bytes); }, look);
  }

  // An attempt of a put that may wait, `woken` if it has waited since the attempt before: full also
  // while another has the token. `putter` names the thread whose put it is: one that blocks must
  // not wait for an asynchronous put of its own loop. ok, full, closed or busy.
  template <class Write>
  Status attempt_waiting_put(Putter putter, bool woken, u32 bytes, Write&& write) {
    if (!spans_) return attempt_put(bytes, write);
    const u32 slots = slots_of(bytes);
    const u64 holder = token_.load();
    if (token_.must_let(holder, putter, slots, ring_)) return closed() ? Status::closed : Status::full;
    const Status status = attempt_put(bytes, write);
    if (status == Status::ok || status == Status::closed) {
      give_up_token(putter);
    } else if (woken && slots > 1) {
      token_.woken_in_vain(holder, slots, putter);
    }
    return status;
  }

  // An attempt that takes no notice of the token, of a put that it has held back for too long: ok,
  // full, closed or busy. If a loop has it, that loop is one that does not come round.
  template <class Write>
  Status put_past_token(u32 bytes, Write&& write) {
    token_.forget_rounds();
    const Status status = attempt_put(bytes, write);
    // Others may go ahead as well now.
    pass_on_put();
    return status;
  }

  // Whoever waited to put leaves by this, whatever became of it. A thread that has blocked leaves
  // the token of its own loop alone, whose put still waits.
  void give_up_token(Putter putter) {
    if (spans_ && token_.clear(putter) && someone_waits(header_.not_full)) wake_.all(header_.not_full);
  }

  // Blocks until there is an item: ok, closed, too_small, timeout or interrupted; or busy: the time
  // was over while somebody was in the middle of a copy, and the caller may wait for that.
  template <class Parker, class Read>
  Status get(Parker& parker, u32 limit, Read&& read) {
    return wait(
        header_.not_empty, parker, [&] { return attempt_get(limit, read); }, [this] { return permits(header_.not_empty) == 0; },
        [this] { pass_on_get(); });
  }

  // Blocks until there is room: ok, closed, timeout, interrupted or busy.
  template <class Parker, class Write>
  Status put(Parker& parker, u32 putter, u32 bytes, Write&& write) {
    const Status status = wait(
        header_.not_full, parker, [&] { return attempt_waiting_put({putter, false}, parker.slept(), bytes, write); },
        [&] { return permits(header_.not_full) == 0 && !could_put_now({putter, false}, bytes); }, [this] { pass_on_put(); });
    give_up_token({putter, false});
    return status;
  }

  // Blocks until all `count` items are put: ok, closed, timeout, interrupted or busy; `done` says
  // how many are. make_parker() is called for each time that it waits; as those may be many and
  // short, each is asked whether this thread is being stopped.
  template <class MakeParker, class Write>
  Status put_many(MakeParker&& make_parker, u32 count, u32 bytes, u32& done, Write&& write) {
    done = 0;
    Status status = Status::ok;
    while (done < count && status == Status::ok) {
      auto parker = make_parker();
      status = wait(
          header_.not_full, parker,
          [&] {
            u32 some = 0;
            const Status tried = try_put_many(count - done, bytes, some, [&](u32 index, u32 k, u32 n) { write(index, done + k, n); });
            done += some;
            return tried;
          },
          [this] { return permits(header_.not_full) == 0; }, [this] { pass_on_put(); });
      if (status == Status::ok && done < count && parker.stopped()) return Status::interrupted;
    }
    return status;
  }

  // Whoever leaves a wait, or dies between a change and its wake, looks once more on behalf of the
  // others.
  void pass_on_get() {
    if (someone_waits(header_.not_empty) && ring_.get_ready()) wake_.one(header_.not_empty);
  }
  void pass_on_put() {
    if (!someone_waits(header_.not_full) || !ring_.put_ready()) return;
    wake_putters();
  }

  // Room was made. Where messages span slots, putters can't stand in for each other.
  void wake_putters() {
    if (spans_) {
      wake_.all(header_.not_full);
    } else {
      wake_.one(header_.not_full);
    }
  }

  // Withdraws an event loop of which no call waits for an item, or for room, any more.
  void withdraw_from_gets(u32 loop) {
    withdraw_loop(header_.not_empty, loop, [this] { pass_on_get(); });
  }
  void withdraw_from_puts(u32 loop) {
    withdraw_loop(header_.not_full, loop, [this] { pass_on_put(); });
  }

  void close() {
    ring_.close();
    if (someone_waits(header_.not_empty)) wake_.all(header_.not_empty);
    if (someone_waits(header_.not_full)) wake_.all(header_.not_full);
  }

  // Drops the items that are in the queue now, and returns how many; not what others put meanwhile.
  // patience() as for settle().
  template <class Patience>
  u32 clear(Patience&& patience) {
    const u32 end = ring_.items_put();
    const auto is_old = [end](u32 number) { return static_cast<std::int32_t>(end - number) > 0; };
    u32 count = 0;
    while (settle(patience, [&] { return attempt_discard(is_old); }) == Status::ok) count++;
    return count;
  }

  // Counts that many of the items got as done. Returns false, and changes nothing, if fewer were
  // got and not reported yet.
  bool task_done(u32 count) {
    if (!unfinished_.report(count)) return false;
    finished();
    return true;
  }

  JoinStart join_start() const { return unfinished_.join_start(); }
  bool all_done(JoinStart start) const { return unfinished_.all_done(start); }

  // Right only while nobody else puts or gets.
  QueueStats stats() const {
    const u32 dropped = header_.dropped.load(memory_order_relaxed);  // counts, which order nothing
    const u32 evicted = header_.evicted.load(memory_order_relaxed);
    const u32 discarded = header_.discarded.load(memory_order_relaxed);
    const u32 got = ring_.items_got();
    return {.depth = ring_.size(),
            .puts = ring_.items_put(),
            .gets = got - evicted - discarded,
            .dropped = dropped,
            .discarded = discarded,
            .waiting_gets = calls_waiting(header_.not_empty),
            .waiting_puts = calls_waiting(header_.not_full),
            .unfinished = unfinished_.count()};
  }

  // Drops what is left in a closed queue. Waits for producers that are between claim and publish:
  // they are few, as none can come any more, and none of them waits for anything. But one may have
  // died there, so only as long as patience() says; and somebody may have written over the memory.
  template <class Patience>
  void discard(Patience&& patience) {
    while (!ring_.drained()) {
      const Status status = attempt_discard(Any{});
      if (status != Status::ok && (status == Status::damaged || !patience())) return;
    }
  }

  bool closed() const { return ring_.closed(); }
  bool full() const { return !ring_.has_room(1); }
  bool has_room(u32 slots) const { return ring_.has_room(std::min(slots, geometry_.capacity)); }
  bool has_item() const { return ring_.has_item(); }
  bool get_ready() const { return ring_.get_ready(); }
  bool put_ready() const { return ring_.put_ready(); }
  u32 size() const { return ring_.size(); }
  u32 next_bytes() const { return static_cast<u32>(std::min<u64>(ring_.next_bytes(), geometry_.most_bytes())); }

 private:
  // Whether a waiting put could do something now. Asked before it sleeps, since putters of messages
  // that span slots can't stand in for each other: its permit may have gone to one that needs more
  // room, or that must let another go first where this one need not.
  bool could_put_now(Putter putter, u32 bytes) const {
    if (!spans_) return false;  // any other putter will do: permits are enough
    const u32 slots = slots_of(bytes);
    return closed() || (!token_.must_let(token_.load(), putter, slots, ring_) && ring_.has_room(slots));
  }

  // Of a message whose length was read from memory; 0 if there is none so long. Slots that don't
  // span are read by their element's size.
  u32 slots_found(u32 bytes) const {
    if constexpr (!Slots::kMaySpan) return 1;
    return bytes <= geometry_.most_bytes() ? slots_of(bytes) : 0;
  }

  // Wakes the joins if nothing is unfinished. Called by whoever has counted items as done, evicted
  // or discarded. [signal-safe]
  void finished() {
    if (unfinished_.note_end()) wake_.all(header_.all_done);
  }

  // Drops the next item if it is wanted: ok, empty, closed, busy or damaged. Counts it at once, as a
  // report of an item too many is refused only if all that are discarded were counted.
  template <class Wanted>
  Status attempt_discard(Wanted&& wanted) {
    const Status status = ring_.try_get(~u32{0}, [this](u32 bytes) { return slots_found(bytes); }, [](Span) {}, wanted);
    if (status != Status::ok) return status;
    room_was_made();
    header_.discarded.fetch_add(1, memory_order_seq_cst);  // see Unfinished::note_end
    finished();
    return Status::ok;
  }

  static Status unless_busy(Status status, Status otherwise) { return status == Status::busy ? otherwise : status; }

  void count_dropped(u32 items) { header_.dropped.fetch_add(items, memory_order_relaxed); }  // a count, which orders nothing

  // ok, closed or busy.
  template <class Write>
  Status attempt_evicting(u32 bytes, Write&& write) {
    u32 evicted = 0;
    const Status status = ring_.put_evicting(slots_of(bytes), bytes, [this](u32 of_item) { return slots_found(of_item); }, evicted, write);
    if (evicted > 0) {
      header_.evicted.fetch_add(evicted, memory_order_seq_cst);  // see Unfinished::note_end
      count_dropped(evicted);
      finished();
    }
    // Getters may have slept because the tail was held, whom close() has woken for nothing then:
    // whoever learns of the end passes it on.
    if (someone_waits(header_.not_empty) && (status == Status::ok || ring_.get_ready())) wake_.one(header_.not_empty);
    // Putters may have slept because the tail was held, and more room may have been made than is
    // needed: slots freed by several stores.
    if (someone_waits_after_many_stores(header_.not_full) && ring_.put_ready()) wake_putters();
    return status;
  }

  static constexpr u32 kLongRun = 32;
  static constexpr u32 kShortRun = 4;

  // Until `most` are done, or not even `single` brings one more: ok if there were any. Each piece
  // makes its own wake, before the loop comes round: there V8 may end the call, and the thread live
  // on (a timeout of node:vm), with nobody who makes up for it.
  template <class Run, class Single>
  Status in_runs(u32 most, u32& done, WaitList& list, Run&& run, Single&& single) {
    done = 0;
    while (done < most) {
      if (most - done >= kLongRun && run.template operator()<kLongRun>()) {
        done += kLongRun;
      } else if (most - done >= kShortRun && run.template operator()<kShortRun>()) {
        done += kShortRun;
      } else {
        const Status status = single();
        if (status != Status::ok) return done > 0 ? Status::ok : status;
        done++;
      }
      if (someone_waits_after_many_stores(list)) wake_.one(list);
    }
    return Status::ok;
  }

  static constexpr u32 kRunOfMessages = 8;

  // The same for messages.
  template <class Run, class Single, class Tell>
  Status in_runs_of_messages(u32 most, u32& done, WaitList& list, Run&& run, Single&& single, Tell&& tell) {
    done = 0;
    while (done < most) {
      if (most - done >= kRunOfMessages && run()) {
        done += kRunOfMessages;
      } else {
        const Status status = single();
        if (status != Status::ok) return done > 0 ? Status::ok : status;
        done++;
      }
      if (someone_waits_after_many_stores(list)) tell();
    }
    return Status::ok;
  }

  void room_was_made() {
    if (!spans_) {
      if (someone_waits(header_.not_full)) wake_.one(header_.not_full);
    } else if (someone_waits_after_many_stores(header_.not_full)) {
      wake_putters();
    }
  }

  QueueHeader& header_;
  const Geometry& geometry_;
  Ring<Slots> ring_;
  PriorityToken token_;
  Unfinished unfinished_;
  Wake wake_;
  const bool spans_;
};

}  // namespace threadsafe
