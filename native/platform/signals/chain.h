// The handlers that others had installed before ours, for one signal, newest first. Ours calls each
// as the kernel would, and once per signal, whoever has installed what over whom.
//
// POSIX only; signals_posix.cc alone includes it. Functions marked [handler] are called by the
// signal handler.
#pragma once

#include <signal.h>

#include <atomic>

#include "../../core/layout.h"
#include "mask.h"
#include "passage.h"

namespace threadsafe {
namespace {

void* address_of(const struct sigaction& action) {
  return action.sa_flags & SA_SIGINFO ? reinterpret_cast<void*>(action.sa_sigaction) : reinterpret_cast<void*>(action.sa_handler);
}

// True if there is a handler to call. As for the kernel, sa_handler says "default action" and
// "ignore" whatever the flags are; it shares a word with sa_sigaction. A one-shot handler
// (SA_RESETHAND) relies on the default action being back when it is called: Node's for SIGINT and
// SIGTERM resets the terminal and raises the signal again, for ever if ours were still there. It
// stands for the default action, and like that is not taken while there is a source.
bool is_called(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && !(action.sa_flags & SA_RESETHAND);
}

// The way in which a handler was installed. Never changed or freed, since our handler may be
// looking at it.
struct Installation {
  struct sigaction action;
  SignalMask blocks;  // what the kernel blocks while it runs, besides what is blocked anyway
  const Installation* next;
};

// A handler that was there before ours: one function, however often it was installed and with
// whatever mask. Never freed.
struct Previous {
  u64 bit;  // stands for it in a set
  Previous* older;
  std::atomic<const Installation*> current;
  const Installation* known;  // every installation there was, each once
  // By handlers: one that is just coming or going may be called or not, as by the kernel. But one
  // that has come is called as it was installed last. An entry may even be another handler's now,
  // so whoever sees by `period` and `gone`, which are stored last, that it is to be called sees the
  // rest.
  std::atomic<u32> period;
  // If it begins its period and calls ours: the oldest period of those to be called after it; else 0.
  std::atomic<u32> below;
  std::atomic<bool> gone;     // not to be called until it is installed again
  bool over_ours;             // it came when ours had been there before, so it may pass signals back to ours
  std::atomic<bool> is_copy;  // the handler of another copy of this package

  // For any thread. Sequentially consistent, where acquire would do: what was installed is whole.
  const struct sigaction& action() const { return current.load()->action; }
};

// A period is a time in which ours is in use without a break; the handlers that it replaces
// meanwhile belong to that period. When ours is put to use again, the handler that it then replaces
// begins the next period. That handler may pass signals to ours. Then, and only then, the handlers
// to which ours passed signals until now are called after it.
class Chain {
 public:
  // [handler] Returns the next one to call for that passage, in a call of ours that is a part of
  // it; null if there is none. `caller` is the bit of the handler in the chain that has called
  // ours; 0 for any other caller. `progress` is how far the signal has come in all copies.
  const Previous* next(Passage& passage, u64 caller, u64 progress) const {
    // Acquire, with the release in enter_period(): whoever sees a period sees its first handler, and
    // so does not find nobody.
    u32 since = least_.load(std::memory_order_acquire);
    u32 least;
    const Previous* newest;
    const Previous* one;
    for (;;) {
      // Acquire: whoever sees a handler here sees what is in it, and the older ones.
      newest = newest_.load(std::memory_order_acquire);
      least = since;
      for (one = caller != 0 ? newest : nullptr; one; one = one->older) {
        // Relaxed: the caller is in the chain, so this was stored before it came there.
        const u32 below = one->bit == caller ? one->below.load(std::memory_order_relaxed) : 0;
        if (below != 0 && below < least) least = below;
      }
      one = newest;
      while (one && (passage.called & one->bit || !is_in(*one, least))) one = one->older;
      // Acquire: whoever has just seen that restored() took a handler out sees what is called
      // instead of it.
      const u32 now = least_.load(std::memory_order_acquire);
      if (one || now == since) break;
      since = now;
    }
    if (one || caller == 0) return one;
    // Another copy has been called, and is perhaps still at work. It has to learn that a handler
    // which it has called passes signals back to it, by way of ours. It does nothing twice, but
    // calling it once more is not enough: each handler that it calls may come back this way, and it
    // may have others to call after that one. So it is called again whenever any handler has been
    // called since. Without that condition two copies would call each other for ever.
    if (is_further(progress, passage.recalled_at)) {
      passage.recalled = 0;
      passage.recalled_at = progress;
    }
    one = newest;
    while (one && (passage.recalled & one->bit || !is_in(*one, least) || !one->is_copy.load(std::memory_order_relaxed))) one = one->older;
    return one;
  }

  // Calls visit(previous) for each that may be called. For any thread.
  template <class Visit>
  void for_each_called(Visit&& visit) const {
    // Acquire as in next().
    const u32 least = least_.load(std::memory_order_acquire);
    for (const Previous* one = newest_.load(std::memory_order_acquire); one; one = one->older) {
      if (is_in(*one, least)) visit(*one);
    }
  }

  // Null if it has never been in the chain. For any thread.
  Previous* find(const void* handler) const {
    // Acquire as in next().
    Previous* one = newest_.load(std::memory_order_acquire);
    while (one && address_of(one->action()) != handler) one = one->older;
    return one;
  }

  // -- The rest is for one thread at a time, under attach_mutex(). So loads are relaxed, as nobody
  // else stores anything but `gone`; stores are for handlers. --

  // Begins a period, to which the handlers that are added from now on belong. Those from before are
  // still called. `anew`: no handler can still call ours.
  void begin_period(bool anew) {
    below_ = anew ? 0 : least_.load(std::memory_order_relaxed);
    period_++;
  }

  // From now on those from before are called only after the first of the period, which has been
  // added, if that calls ours.
  void enter_period() { least_.store(period_, std::memory_order_release); }

  struct How {
    bool begins_period;
    bool over_ours;
    bool is_copy;
  };

  // Has it called from now on. Returns null if there are too many already: 64 different ones in
  // use. `is_new` says that it was not called before.
  Previous* add(int signo, const struct sigaction& action, How how, bool& is_new) {
    Previous* one = find(address_of(action));
    is_new = !one || !is_in(*one, period_);
    if (!one) one = newest_count_ < kMost ? make() : find_unused();
    if (!one) return nullptr;
    if (one->known && address_of(one->known->action) != address_of(action)) one->known = nullptr;
    // Release, here and below: a signal handler that sees it sees what is in it.
    one->current.store(installation_of(*one, signo, action), std::memory_order_release);
    if (is_new) one->below.store(how.begins_period ? below_ : 0, std::memory_order_relaxed);  // likewise, by `period`
    one->over_ours |= how.over_ours;
    one->is_copy.store(how.is_copy, std::memory_order_relaxed);  // made known by the two below
    one->period.store(period_, std::memory_order_release);
    one->gone.store(false, std::memory_order_release);
    if (one->bit == 0) {
      one->bit = u64{1} << newest_count_++;
      newest_.store(one, std::memory_order_release);
    }
    return one;
  }

  // Says that ours is not in use any more, and that one is in its place. If that one was installed
  // over ours and calls it, it has had the signal already.
  void restored(Previous& one) {
    if (!one.over_ours) return;
    // In this order, and release, so that a handler which strikes meanwhile calls this one or those
    // that come in its place.
    if (const u32 below = one.below.load(std::memory_order_relaxed)) least_.store(below, std::memory_order_release);
    if (!one.is_copy.load(std::memory_order_relaxed)) one.gone.store(true, std::memory_order_release);
  }

  // Calls visit(previous) for each of this period.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (Previous* one = newest_.load(std::memory_order_relaxed); one; one = one->older) {
      if (is_in(*one, period_)) visit(*one);
    }
  }

 private:
  static constexpr u32 kMost = 64;

  static bool is_in(const Previous& one, u32 least) {
    // Acquire, with the release in add().
    return one.period.load(std::memory_order_acquire) >= least && !one.gone.load(std::memory_order_acquire);
  }

  Previous* make() const { return new Previous{0, newest_.load(std::memory_order_relaxed), {}, nullptr, {}, {}, {}, false, false}; }

  // Returns an entry that nobody can reach any more, to be used for another handler.
  Previous* find_unused() const {
    Previous* const newest = newest_.load(std::memory_order_relaxed);
    u32 least = least_.load(std::memory_order_relaxed);
    for (bool lower = true; lower;) {
      lower = false;
      for (const Previous* one = newest; one; one = one->older) {
        const u32 below = one->below.load(std::memory_order_relaxed);
        if (below == 0 || below >= least || !is_in(*one, least)) continue;
        least = below;
        lower = true;
      }
    }
    Previous* one = newest;
    while (one && is_in(*one, least)) one = one->older;
    if (one) one->over_ours = false;
    return one;
  }

  static const Installation* installation_of(Previous& one, int signo, const struct sigaction& action) {
    for (const Installation* known = one.known; known; known = known->next) {
      if (known->action.sa_flags == action.sa_flags && mask_of(known->action.sa_mask) == mask_of(action.sa_mask)) return known;
    }
    const SignalMask own = action.sa_flags & SA_NODEFER ? 0 : bit_of(signo);
    return one.known = new Installation{action, mask_of(action.sa_mask) | own, one.known};
  }

  std::atomic<Previous*> newest_{nullptr};
  std::atomic<u32> least_{1};  // the oldest period whose handlers are called
  u32 period_ = 1;
  u32 below_ = 0;  // for the one that begins it
  u32 newest_count_ = 0;
};

}  // namespace
}  // namespace threadsafe
