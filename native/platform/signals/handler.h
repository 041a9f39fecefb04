// The signal handler, on_signal(), and the helper thread's part of its work. Whatever the handler
// runs is here, in the headers that this one includes, and in core/; docs/signal-safety.md lists
// it, and test/signals/safety.test.ts holds the machine code against that list.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <signal.h>

#include <atomic>
#include <cerrno>

#include "../../core/buffers.h"
#include "../../core/event.h"
#include "../../core/queue.h"
#include "../../core/record.h"
#include "../../core/slots.h"
#include "../helper.h"
#include "../wakes.h"
#include "chain.h"
#include "fork.h"
#include "mask.h"
#include "passage.h"
#include "siginfo.h"
#include "tables.h"

namespace threadsafe {
namespace {

// False when it gave up: others have published each time.
template <class Wake>
bool write_record(const SignalTarget& target, const SignalInfo& record, Wake wake) {
  const Buffers buffers = buffers_in(*target.record, target.record_geometry);
  Snapshot snapshot(*target.record, buffers, wake);
  const auto write = [&] {
    u64 word = snapshot.begin();
    const auto fill = [&](u32 index) {
      buffers.set_length(index, sizeof record);
      buffers.write(index, 0, &record, sizeof record);
    };
    return snapshot.try_write(word, target.is_message, fill, true);
  };
  return until_not_busy(write, HandlerPatience()) == Status::ok;
}

bool deliver(Source& source, const SignalInfo& record) {
  bool unpark_needed = false;
  bool delivered = true;
  const WakeBy<SignalWaker> wake{SignalWaker{source.unparks, unpark_needed}};
  if (source.target.event) {
    Event(*source.target.event, wake).set();
  } else if (source.target.record) {
    delivered = write_record(source.target, record, wake);
  } else {
    const StridedSlots slots(*source.target.queue, source.target.geometry);
    Queue queue(*source.target.queue, source.target.geometry, slots, wake);
    const Status status = queue.offer(sizeof record, [&](const Span& span) { slots.copy_in(span, &record); });
    delivered = status == Status::ok;
    if (status == Status::full) queue.count_dropped();
  }
  // Relaxed: counts, which order nothing.
  (delivered ? source.delivered : source.dropped).fetch_add(1, std::memory_order_relaxed);
  return unpark_needed;
}

// Not inlined, so that the machine code of the handler has its only calls through a pointer here:
// test/signals/safety.test.ts.
[[gnu::noinline]] void call_handler(const struct sigaction& action, int signo, siginfo_t* info, void* context) {
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction(signo, info, context);
  } else {
    action.sa_handler(signo);
  }
}

// The arguments of a call of our handler.
struct Call {
  int signo;
  siginfo_t* info;
  ucontext_t* context;  // null if it was called by a handler that does not pass it on
  std::uintptr_t frame;
  bool below_kernels;  // see lies_below_kernels()
  SignalMask blocked;  // to be left blocked by handlers that are called; when the kernel calls, the mask of the interrupted code
};

// Passes the signal on to the handlers before ours that have not been called yet. Nothing of ours is half done any more,
// so that a handler may strike and leave by siglongjmp. Returns whether it has changed the mask,
// which was every_signal.
bool pass_on(const Call& call, const PlaceOfWord& word, bool is_named, const Passage& began) {
  const Chain& chain = signals[call.signo].chain;
  Passage passage = began;
  const Previous* previous = chain.next(passage, began.running, progress_of(word.read()));
  if (!previous) return false;
  Inside inside(call.signo, call.frame);
  // A caller that makes up everything it passes on may be part of a circle.
  if (!is_named && !call.below_kernels && inside.too_deep()) return false;
  SharedPassage shared(word.read());
  bool mask_known = true;
  bool mask_changed = false;
  for (; previous; previous = chain.next(passage, began.running, progress_of(word.read()))) {
    if (passage.called & previous->bit) {
      passage.recalled |= previous->bit;
    } else {
      word.write(further(word.read()));
    }
    passage.called |= previous->bit;
    passage.running = previous->bit;
    shared.write(passage);
    inside.enter(word, call.below_kernels && !is_named);
    // Acquire, with the release in Chain::add().
    const Installation& installation = *previous->current.load(std::memory_order_acquire);
    const SignalMask wanted = (call.blocked | installation.blocks) & every_signal;
    // libuv's handler, for one, wants all signals blocked, as they are. But once a handler has been
    // called, nobody knows which mask it has left.
    if (!mask_known || wanted != every_signal) {
      block_exactly(wanted);
      mask_changed = true;
    }
    call_handler(installation.action, call.signo, call.info, call.context);
    mask_known = false;
    inside.leave();
    // If the handler has passed the signal back, others have been called meanwhile.
    Passage now;
    if (shared.read(now)) passage = now;
    passage.running = began.running;
    shared.write(passage);
  }
  return mask_changed;
}

// True if the kernel called the handler, or if it was called in place of a handler that the kernel
// had called. Then the kernel's data lies above the handler's frame, whose canonical address this
// is. A handler that passes on a ucontext of its own may have that there as well, but not a siginfo
// where the kernel's is, since that place is inside the C library's ucontext, which is longer.
bool lies_below_kernels([[maybe_unused]] const void* frame, [[maybe_unused]] const siginfo_t* info, [[maybe_unused]] const void* context) {
  [[maybe_unused]] const auto is_at = [frame](const void* what, std::size_t offset) {
    return reinterpret_cast<std::uintptr_t>(what) == reinterpret_cast<std::uintptr_t>(frame) + offset;
  };
#if defined(__linux__) && defined(__x86_64__)
  return is_at(context, 0) && is_at(info, 304);
#elif defined(__linux__) && defined(__aarch64__)
  return is_at(info, 0) && is_at(context, 128);
#else
  return false;
#endif
}

bool deliver_to_sources(int signo, const siginfo_t& info, SignalInfo& record) {
  const bool tick = is_our_tick(info);
  bool helper_needed = false;
  for (u32 word = 0; word < kMaxSources / 64; word++) {
    // Acquire, with the bit's setting: the source was filled in before. It is checked once more by
    // the use.
    u64 bits = signals[signo].sources[word].load(std::memory_order_acquire);
    for (u32 number = word * 64; bits != 0; number++, bits >>= 1) {
      if (!(bits & 1)) continue;
      Source& source = sources[number];
      const Use use(source.uses);
      if (!use || source.signo != signo || source.is_timer != tick) continue;
      if (tick && reinterpret_cast<u64>(info.si_value.sival_ptr) != tick_value(number)) continue;
      if (source.heartbeat.beat && !is_late(source, record)) continue;  // a tick: no other source gets this record
      helper_needed |= deliver(source, record);
    }
  }
  return helper_needed;
}

constexpr siginfo_t kNothingTold{};

void on_signal(int signo, siginfo_t* told, void* context) {
  const siginfo_t& info = told ? *told : kNothingTold;
  if (note_settled(info)) return;
  const int saved_errno = errno;
  const void* const frame = __builtin_dwarf_cfa();
  Signal& signal = signals[signo];
  SignalInfo record = describe(signo, info);
  // While ours works no signal may strike it: another handler may leave by siglongjmp, and so leave
  // a slot claimed or a source in use for ever. When the kernel calls ours, everything is blocked
  // already. But a handler over ours that ends with a jump to ours looks the same from here, and
  // has its own mask.
  const bool below_kernels = lies_below_kernels(frame, told, context);
  const SignalMask blocked = block_every_signal();
  Call call{signo, told, static_cast<ucontext_t*>(context), reinterpret_cast<std::uintptr_t>(frame), below_kernels, blocked};
  SignalWord own_word = call.context ? 0 : Inside(signo, call.frame).word();
  const PlaceOfWord place(call.context ? static_cast<void*>(&call.context->uc_link) : &own_word);
  SignalWord word = place.read();
  Passage passage{};
  const bool is_named = word & 1;
  if (!is_named) {
    word = new_word(reinterpret_cast<std::uintptr_t>(sources));  // of this copy alone, where the table of doorbells is all copies'
    place.write(word);
  }
  const bool passed_back = is_named && SharedPassage(word).read(passage);
  if (!passed_back) {
    SharedPassage(word).write(passage);
    // Relaxed: see fork.h.
    if (!in_forked_child.load(std::memory_order_relaxed) && deliver_to_sources(signo, info, record)) call_helper();
  }
  // A handler that has called ours relies on the signals that it has blocked. Another copy's
  // handler relies on nothing.
  if (call.context) call.blocked = mask_of(call.context->uc_sigmask);
  if (!below_kernels && (passed_back || !is_named)) call.blocked |= blocked;
  errno = saved_errno;
  // When another copy calls ours after ours is gone, the handler that ours has put back has had the
  // signal already. Relaxed: a flag alone; that other handler may as well have been called before.
  const bool ends_here = is_named && !passed_back && signal.is_out.load(std::memory_order_relaxed);
  const bool mask_changed = !ends_here && pass_on(call, place, is_named, passage);
  // The kernel restores the mask itself when it resumes the interrupted code.
  if (!below_kernels && (mask_changed || (blocked & every_signal) != every_signal)) block_exactly(blocked);
  errno = saved_errno;
}

void helper_work() {
  for (Source& source : sources) {
    const Use use(source.uses);
    if (use) source.unparks.make(unpark);
  }
}

bool is_ours(const struct sigaction& action) { return action.sa_flags & SA_SIGINFO && action.sa_sigaction == on_signal; }

struct sigaction our_action() {
  struct sigaction ours{};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  return ours;
}

}  // namespace
}  // namespace threadsafe
