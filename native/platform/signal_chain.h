// The handlers that others had installed before ours, and how a signal is passed on to them: each as the kernel would call it, and each
// once, whoever has installed what over whom.
//
//     a chain      for each signal, the handlers that ours has replaced, newest first
//     a passage    one signal on its way down a chain: the set of those that have been called
//
// A handler that was installed over ours may pass the signal back to ours, while or after ours has passed it on. That call has to find its
// passage: it then delivers nothing and calls those that are left, and the outer call finds nobody left afterwards. So each signal carries
// a word that names it, in `uc_link` of its ucontext. The kernel sets that field to null each time it calls a handler (every version of
// Linux, on every architecture, and macOS) and does not look at it when the handler returns; so a word is never older than the signal that
// it is found with, and a handler that leaves by siglongjmp leaves nothing behind. All copies of this package in the process use the same
// word, each with a table of its own, and whoever passes on a copy of the siginfo, or one that it has made up, passes on the word
// nevertheless. The end of siginfo_t would be the other place: Linux clears it since 4.20, but before that, and in emulators, it is what
// was on the stack.
//
// A handler that passes the signal on without its ucontext is told by the thread that it runs in (see `Inside`). Nothing else is known of
// one that makes up a ucontext: each of its calls is a signal of its own, and kDeepest of them inside each other are the end.
//
// POSIX only; signals_posix.cc alone includes it. What is marked [handler] is called by the signal handler.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "../core/layout.h"

namespace threadsafe {

// -- Masks of signals. --

// As the kernel has them: bit signo - 1. A sigset_t is longer in some libraries, but the kernel writes no more of one than this.
using SignalMask = u64;

inline constexpr std::size_t kMaskBytes = std::min(sizeof(sigset_t), sizeof(SignalMask));

// [handler]
inline SignalMask mask_of(const sigset_t& set) {
  SignalMask mask = 0;
  std::memcpy(&mask, &set, kMaskBytes);
  return mask;
}

// [handler]
inline SignalMask bit_of(int signo) { return SignalMask{1} << (signo - 1); }

// All signals that can be blocked. Set before the first handler is installed.
inline constinit SignalMask every_signal = 0;

inline void find_every_signal() {
  sigset_t all;
  sigfillset(&all);
  every_signal = mask_of(all) & ~bit_of(SIGKILL) & ~bit_of(SIGSTOP);
#ifdef SIGRTMIN
  // Those that the C library keeps for itself: it never blocks them.
  for (int signo = 32; signo < SIGRTMIN; signo++) every_signal &= ~bit_of(signo);
#endif
}

// [handler] Answers what was blocked before.
inline SignalMask block_every_signal() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  return mask_of(before);
}

// [handler]
inline void block_exactly(SignalMask mask) {
  sigset_t set;
  sigemptyset(&set);
  std::memcpy(&set, &mask, kMaskBytes);
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

// -- Words. All of this is for the handler. --

// Names one signal on its way through the handlers of this process, in all copies of this package, and says how far it has come: a name,
// kProgressBits that count the handlers which have been called for it, and a 1 as the last bit, since no address of a ucontext is odd.
using SignalWord = std::uintptr_t;

inline constexpr u32 kProgressBits = 8;
inline constexpr SignalWord kProgressUnit = 2;
inline constexpr SignalWord kProgressMask = ((SignalWord{1} << kProgressBits) - 1) * kProgressUnit;

inline SignalWord name_of(SignalWord word) { return word & ~kProgressMask; }
inline u64 progress_of(SignalWord word) { return (word & kProgressMask) / kProgressUnit; }
inline SignalWord further(SignalWord word) { return name_of(word) | ((word + kProgressUnit) & kProgressMask); }

// Of two counts of one signal, which may have begun again from 0. A call that was made without a ucontext may know an old one.
inline bool is_further(u64 progress, u64 other) {
  constexpr u64 kCounts = u64{1} << kProgressBits;
  const u64 ahead = (progress - other) % kCounts;
  return ahead != 0 && ahead < kCounts / 2;
}

// Where a signal's word is: in its ucontext, or, without one, in the frame of the call of ours that has named it.
class PlaceOfWord {
 public:
  explicit PlaceOfWord(void* place) : place_(place) {}
  SignalWord read() const {
    SignalWord word;
    std::memcpy(&word, place_, sizeof word);
    return word;
  }
  void write(SignalWord word) const { std::memcpy(place_, &word, sizeof word); }
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(place_); }

 private:
  void* const place_;
};

inline SignalWord new_word(u64 copy) {
  constexpr u32 kNameShift = kProgressBits + 1;
  constexpr u32 kCopyShift = sizeof(SignalWord) == 8 ? 40 : 24;
  static constinit std::atomic<SignalWord> count{0};
  // Relaxed: it only has to be another each time.
  const SignalWord number = count.fetch_add(1, std::memory_order_relaxed) << kNameShift | 1;
  const auto mixed = static_cast<SignalWord>(copy * 0x9e3779b97f4a7c15 >> (64 - 8 * sizeof(SignalWord)));
  return mixed >> kCopyShift << kCopyShift | (number & ((SignalWord{1} << kCopyShift) - 1));
}

// -- Chains. --

inline void* address_of(const struct sigaction& action) {
  return action.sa_flags & SA_SIGINFO ? reinterpret_cast<void*>(action.sa_sigaction) : reinterpret_cast<void*>(action.sa_handler);
}

// Whether there is somebody to call. The default action and "ignore" are told by sa_handler whatever the flags say, as the kernel does; it
// is one word with sa_sigaction. A handler for one time (SA_RESETHAND) relies on the default action being back when it is called: Node's
// for SIGINT and SIGTERM resets the terminal and raises the signal again, for ever if ours were still there. It stands for the default
// action, and like that is not taken while there is a source.
inline bool is_called(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && !(action.sa_flags & SA_RESETHAND);
}

// How a handler was installed. Never changed nor freed, since a handler of ours may be looking at it.
struct Installation {
  struct sigaction action;
  SignalMask blocks;  // what the kernel blocks while it runs, besides what is blocked anyway
  const Installation* next;
};

// A handler is one function, however often it is installed and with whatever mask. Never freed either.
struct Previous {
  u64 bit;  // stands for it in a set
  Previous* older;
  std::atomic<const Installation*> current;
  const Installation* known;  // all that there were, each once
  // Relaxed, by handlers: one that is just coming or going may be called or not, as by the kernel.
  std::atomic<u32> period;
  std::atomic<u32> below;  // if its period begins with it: since which period ours has replaced those that come after it, if it calls ours
  std::atomic<bool> gone;  // not to be called until it is installed again
  bool over_ours;          // it came when ours had been there before, so it may pass signals back to ours
  bool is_copy;            // another copy's of this package
};

// Who has been called for a signal, as bits of its chain's.
struct Passage {
  u64 called;
  u64 recalled;     // copies that have been called once more since
  u64 recalled_at;  // the signal had come so far (progress_of())
  u64 running;      // the one that has been called last, and has not returned; 0: none
};

// What ours has replaced while it was in use without a break is of one period. When it is put to use again, what it replaces begins the
// next. That one may pass signals to ours: then, and only then, those are called after it to whom ours passed them on until now.
class Chain {
 public:
  // [handler] The next one to be called for that passage, in a call of ours that is a part of it; null if there is none. `caller`: who has
  // called ours, of the chain; 0: somebody else. `progress`: how far the signal has come in all copies.
  const Previous* next(Passage& passage, u64 caller, u64 progress) const {
    // Acquire: whoever sees it sees what is in it, and the older ones.
    const Previous* const newest = newest_.load(std::memory_order_acquire);
    u32 least = least_.load(std::memory_order_relaxed);
    for (const Previous* one = caller != 0 ? newest : nullptr; one; one = one->older) {
      const u32 below = one->bit == caller ? one->below.load(std::memory_order_relaxed) : 0;
      if (below != 0 && below < least) least = below;
    }
    const Previous* one = newest;
    while (one && (passage.called & one->bit || !is_in(*one, least))) one = one->older;
    if (one || caller == 0) return one;
    // Another copy has been called, and is perhaps still at work: it has to learn that whoever it has called passes signals on to it, by
    // way of ours. It does nothing twice, but once is not enough either: each handler that it calls may be one that comes back this way,
    // and that it has others to call after. So it is called again whenever anybody has been called since. As long as nobody is, two copies
    // would call each other for ever.
    if (is_further(progress, passage.recalled_at)) {
      passage.recalled = 0;
      passage.recalled_at = progress;
    }
    one = newest;
    while (one && (passage.recalled & one->bit || !one->is_copy || !is_in(*one, least))) one = one->older;
    return one;
  }

  // visit(previous) for each that is called for any signal. For any thread.
  template <class Visit>
  void for_each_called(Visit&& visit) const {
    const u32 least = least_.load(std::memory_order_relaxed);
    for (const Previous* one = newest_.load(std::memory_order_acquire); one; one = one->older) {
      if (is_in(*one, least)) visit(*one);
    }
  }

  // Null if it has never been in the chain. For any thread.
  Previous* find(const void* handler) const {
    Previous* one = newest_.load(std::memory_order_acquire);
    while (one && address_of(one->current.load(std::memory_order_acquire)->action) != handler) one = one->older;
    return one;
  }

  // -- The rest is for one thread at a time. --

  // `anew`: nobody can have called ours any more.
  void begin_period(bool anew) {
    below_ = anew ? 0 : least_.load(std::memory_order_relaxed);
    least_.store(++period_, std::memory_order_relaxed);
  }

  struct How {
    bool begins_period;
    bool over_ours;
    bool is_copy;
  };

  // From now on it is called: null if there are too many already, which are 64 different ones in use. `is_new`: it was not called before.
  Previous* add(int signo, const struct sigaction& action, How how, bool& is_new) {
    Previous* one = find(address_of(action));
    is_new = !one || !is_in(*one, period_);
    if (!one) one = newest_count_ < kMost ? make() : find_unused();
    if (!one) return nullptr;
    if (one->known && address_of(one->known->action) != address_of(action)) one->known = nullptr;
    // Release, here and below: a handler that sees it sees what is in it.
    one->current.store(installation_of(*one, signo, action), std::memory_order_release);
    if (is_new) one->below.store(how.begins_period ? below_ : 0, std::memory_order_relaxed);
    one->over_ours |= how.over_ours;
    one->is_copy = how.is_copy;
    one->period.store(period_, std::memory_order_relaxed);
    one->gone.store(false, std::memory_order_relaxed);
    if (one->bit == 0) {
      one->bit = u64{1} << newest_count_++;
      newest_.store(one, std::memory_order_release);
    }
    return one;
  }

  // Ours is not in use any more, and that one is in its place. It may have been installed over ours, and call it: then it has been called.
  void restored(Previous& one) {
    if (!one.over_ours) return;
    if (!one.is_copy) one.gone.store(true, std::memory_order_relaxed);
    if (const u32 below = one.below.load(std::memory_order_relaxed)) least_.store(below, std::memory_order_relaxed);
  }

  // visit(previous) for each of this period.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (Previous* one = newest_.load(std::memory_order_relaxed); one; one = one->older) {
      if (is_in(*one, period_)) visit(*one);
    }
  }

 private:
  static constexpr u32 kMost = 64;

  static bool is_in(const Previous& one, u32 least) {
    return one.period.load(std::memory_order_relaxed) >= least && !one.gone.load(std::memory_order_relaxed);
  }

  Previous* make() const { return new Previous{0, newest_.load(std::memory_order_relaxed), {}, nullptr, {}, {}, {}, false, false}; }

  // One that nobody can reach any more, for another handler.
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
  std::atomic<u32> least_{1};  // the oldest period of whose handlers all are called
  u32 period_ = 1;
  u32 below_ = 0;  // for the one that begins it
  u32 newest_count_ = 0;
};

// -- Passages. All of this is for the handler. --

// The passages, each at a place that the signal's word gives. Nobody frees a place, so none is ever missing; it is taken by the signal that
// comes 1024 later. Should one be still on its way by then, and only then, its call alone knows, and a handler that passes it back makes it
// another signal.
class SharedPassage {
 public:
  explicit SharedPassage(SignalWord word) : place_(places[word >> (kProgressBits + 1) & (kPlaces - 1)]), name_(name_of(word)) {}

  // False if nothing is known of that signal.
  bool read(Passage& passage) const {
    if (place_.name.load(std::memory_order_relaxed) != name_) return false;
    // Acquire, with write()'s release: whoever reads what another signal has stored sees that signal's name then. The calls for one signal
    // are in one thread.
    const Passage found{place_.called.load(std::memory_order_acquire), place_.recalled.load(std::memory_order_acquire),
                        place_.recalled_at.load(std::memory_order_acquire), place_.running.load(std::memory_order_acquire)};
    if (place_.name.load(std::memory_order_relaxed) != name_) return false;
    passage = found;
    return true;
  }
  void write(const Passage& passage) {
    place_.name.store(name_, std::memory_order_relaxed);
    place_.called.store(passage.called, std::memory_order_release);
    place_.recalled.store(passage.recalled, std::memory_order_release);
    place_.recalled_at.store(passage.recalled_at, std::memory_order_release);
    place_.running.store(passage.running, std::memory_order_release);
  }

 private:
  struct Place {
    std::atomic<SignalWord> name;
    std::atomic<u64> called, recalled, recalled_at, running;
  };
  static constexpr u32 kPlaces = 1024;
  inline static constinit Place places[kPlaces]{};

  Place& place_;
  const SignalWord name_;
};

// That this thread is inside a handler which ours has called: for those who come without a ucontext, and as a limit. It is found by the
// thread and the signal, so it may have been left there by a call which a siglongjmp has ended. Then the word is not any more where that
// call knew it to be, above the frame of the call which asks: the kernel has put another signal there, or that stack is in use for
// something else.
class Inside {
 public:
  // `frame`: where the caller's frame is; stacks grow downwards.
  Inside(int signo, std::uintptr_t frame)
      : entry_(entries[place_of(signo)]), who_(thread() + static_cast<std::uintptr_t>(signo)), frame_(frame) {
    if (entry_.who.load(std::memory_order_relaxed) != who_ || entry_.frame.load(std::memory_order_relaxed) <= frame) return;
    const Values found{who_, entry_.frame.load(std::memory_order_relaxed), entry_.evidence.load(std::memory_order_relaxed),
                       entry_.name.load(std::memory_order_relaxed), entry_.depth.load(std::memory_order_relaxed)};
    if (found.evidence - frame >= kFar) return;
    const SignalWord word = read(found.evidence);
    if (name_of(word) != found.name) return;
    outer_ = found;
    word_ = word;
  }

  // Of the signal in whose handler this thread is; 0 if it is in none.
  SignalWord word() const { return word_; }
  bool too_deep() const { return outer_.depth >= kDeepest; }

  // `evidence`: where the word is as long as the call lasts. `begins`: the kernel has called, so this is no circle, whatever an earlier
  // signal that was left by siglongjmp seems to say.
  void enter(const PlaceOfWord& evidence, bool begins) {
    store({who_, frame_, evidence.address(), name_of(evidence.read()), begins ? 1 : outer_.depth + 1});
  }
  void leave() { store(outer_); }

 private:
  struct Values {
    std::uintptr_t who, frame, evidence;
    SignalWord name;
    u32 depth;
  };
  struct Entry {
    std::atomic<std::uintptr_t> who, frame, evidence;
    std::atomic<SignalWord> name;
    std::atomic<u32> depth;
  };
  static constexpr u32 kEntries = 64;
  static constexpr u32 kDeepest = 4;
  static constexpr std::uintptr_t kFar = 1 << 17;  // what is farther away is not on the same stack

  static std::uintptr_t thread() { return (std::uintptr_t)pthread_self(); }  // a number or a pointer
  static u32 place_of(int signo) {
    return static_cast<u32>((thread() + static_cast<std::uintptr_t>(signo)) * u64{0x9e3779b97f4a7c15} >> 58) & (kEntries - 1);
  }
  // Not inlined, as it may look at any place of this stack, which a sanitizer would not have.
  [[gnu::noinline, gnu::no_sanitize_address]] static SignalWord read(std::uintptr_t place) {
    SignalWord word;
    std::memcpy(&word, reinterpret_cast<const void*>(place), sizeof word);
    return word;
  }
  void store(const Values& values) {
    // Relaxed: only this thread finds itself there. Another one may overwrite it: then this one is not found, or without evidence.
    entry_.who.store(values.who, std::memory_order_relaxed);
    entry_.frame.store(values.frame, std::memory_order_relaxed);
    entry_.evidence.store(values.evidence, std::memory_order_relaxed);
    entry_.name.store(values.name, std::memory_order_relaxed);
    entry_.depth.store(values.depth, std::memory_order_relaxed);
  }

  inline static constinit Entry entries[kEntries]{};

  Entry& entry_;
  const std::uintptr_t who_, frame_;
  Values outer_{};
  SignalWord word_ = 0;
};

}  // namespace threadsafe
