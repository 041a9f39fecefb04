// One signal on its way through the handlers: how it is recognized, and which have been called for
// it. All of this is for the signal handler.
//
// A handler that was installed over ours may pass the signal back to ours, while or after ours has
// passed it on. That call has to find its passage: it then delivers nothing and calls those that
// are left, and the outer call finds nobody left afterwards. So each signal carries a word that
// names it, in `uc_link` of its ucontext. The kernel sets that field to null each time it calls a
// handler (every version of Linux, on every architecture, and macOS) and does not look at it when
// the handler returns; so a word is never older than the signal that it is found with, and a
// handler that leaves by siglongjmp leaves nothing behind. All copies of this package in the
// process use the same word, each with a table of its own. A handler that passes on a copy of the
// siginfo, or one that it has made up, passes on the word nevertheless. The end of siginfo_t would
// be the alternative: Linux clears it since 4.20, but before that, and in emulators, it holds
// whatever was on the stack.
//
// A handler that passes the signal on without its ucontext is recognized by the thread that it runs
// in (see `Inside`). One that makes up a ucontext can't be recognized: each of its calls counts as
// a signal of its own, and at most kDeepest of them nest.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstring>

#include "../../core/layout.h"

namespace threadsafe {
namespace {

// Names one signal on its way through the handlers of this process, in all copies of this package,
// and says how far it has come: a name, kProgressBits that count the handlers which have been
// called for it, and a 1 as the last bit, since no address of a ucontext is odd.
using SignalWord = std::uintptr_t;

constexpr u32 kProgressBits = 8;
constexpr SignalWord kProgressUnit = 2;
constexpr SignalWord kProgressMask = ((SignalWord{1} << kProgressBits) - 1) * kProgressUnit;

SignalWord name_of(SignalWord word) { return word & ~kProgressMask; }
u64 progress_of(SignalWord word) { return (word & kProgressMask) / kProgressUnit; }
SignalWord further(SignalWord word) { return name_of(word) | ((word + kProgressUnit) & kProgressMask); }

// Compares two counts of one signal, which may have begun again from 0. A call that was made
// without a ucontext may know an old one.
bool is_further(u64 progress, u64 other) {
  constexpr u64 kCounts = u64{1} << kProgressBits;
  const u64 ahead = (progress - other) % kCounts;
  return ahead != 0 && ahead < kCounts / 2;
}

// The place of a signal's word: in its ucontext, or, without one, in the frame of the call of ours
// that has named it.
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

SignalWord new_word(u64 copy) {
  constexpr u32 kNameShift = kProgressBits + 1;
  constexpr u32 kCopyShift = sizeof(SignalWord) == 8 ? 40 : 24;
  static constinit std::atomic<SignalWord> count{0};
  // Relaxed: it only has to be another each time.
  const SignalWord number = count.fetch_add(1, std::memory_order_relaxed) << kNameShift | 1;
  const auto mixed = static_cast<SignalWord>(copy * 0x9e3779b97f4a7c15 >> (64 - 8 * sizeof(SignalWord)));
  return mixed >> kCopyShift << kCopyShift | (number & ((SignalWord{1} << kCopyShift) - 1));
}

// A sum over values that are stored one by one, at a place where others may store theirs at the
// same time. Whoever reads values and the sum that they have, has read what one of them has stored,
// and not a mix. So all of these may be relaxed, in whatever order they are seen.
template <class... Values>
u64 seal_of(Values... values) {
  u64 seal = 0;
  ((seal = (seal ^ values) * 0x9e3779b97f4a7c15, seal ^= seal >> 32), ...);
  return seal;
}

// The handlers that have been called for a signal, as bits of its chain.
struct Passage {
  u64 called;
  u64 recalled;     // copies that have been called once more since
  u64 recalled_at;  // how far the signal had come then (progress_of())
  u64 running;      // the one that has been called last, and has not returned; 0: none
};

// The passages, each at a place that the signal's word gives. Nobody frees a place, so places never
// run out; the signal that comes 1024 later takes it. Only if a signal is still on its way by then
// is it known to its own call alone, and a handler that passes it back makes it another signal.
class SharedPassage {
 public:
  explicit SharedPassage(SignalWord word) : place_(places[word >> (kProgressBits + 1) & (kPlaces - 1)]), name_(name_of(word)) {}

  // Returns false if nothing is known of that signal.
  bool read(Passage& passage) const {
    // Relaxed, here and in write(), as the seal tells what another signal has stored, or a part of
    // it. The calls for one signal are in one thread.
    const Passage found{place_.called.load(std::memory_order_relaxed), place_.recalled.load(std::memory_order_relaxed),
                        place_.recalled_at.load(std::memory_order_relaxed), place_.running.load(std::memory_order_relaxed)};
    if (place_.seal.load(std::memory_order_relaxed) != seal(found)) return false;
    passage = found;
    return true;
  }
  void write(const Passage& passage) {
    place_.called.store(passage.called, std::memory_order_relaxed);
    place_.recalled.store(passage.recalled, std::memory_order_relaxed);
    place_.recalled_at.store(passage.recalled_at, std::memory_order_relaxed);
    place_.running.store(passage.running, std::memory_order_relaxed);
    place_.seal.store(seal(passage), std::memory_order_relaxed);
  }

 private:
  struct Place {
    std::atomic<u64> seal, called, recalled, recalled_at, running;
  };
  u64 seal(const Passage& passage) const { return seal_of(name_, passage.called, passage.recalled, passage.recalled_at, passage.running); }

  static constexpr u32 kPlaces = 1024;
  inline static constinit Place places[kPlaces]{};

  Place& place_;
  const SignalWord name_;
};

// Records that this thread is inside a handler which ours has called: for callers without a
// ucontext, and to limit the depth. A record is found by the thread and the signal, so it may be
// left over from a call that a siglongjmp has ended. Then the word is no longer where that call
// knew it to be, above the frame of the call which asks: the kernel has put another signal there,
// or that stack is in use for something else.
class Inside {
 public:
  // `frame` is where the caller's frame is; stacks grow downwards.
  Inside(int signo, std::uintptr_t frame)
      : entry_(entries[place_of(signo)]), who_(thread() + static_cast<std::uintptr_t>(signo)), frame_(frame) {
    // Relaxed, here and in store(): only this thread looks for itself there. Another may overwrite
    // the record, or a part of it, which the seal tells; then this one is not found.
    const Values found{who_, entry_.frame.load(std::memory_order_relaxed), entry_.evidence.load(std::memory_order_relaxed),
                       entry_.name.load(std::memory_order_relaxed), entry_.depth.load(std::memory_order_relaxed)};
    if (entry_.seal.load(std::memory_order_relaxed) != seal(found) || found.frame <= frame) return;
    if (found.evidence - frame >= kFar) return;
    const SignalWord word = read(found.evidence);
    if (name_of(word) != found.name) return;
    outer_ = found;
    word_ = word;
  }

  // The word of the signal in whose handler this thread is; 0 if it is in none.
  SignalWord word() const { return word_; }
  bool too_deep() const { return outer_.depth >= kDeepest; }

  // `evidence` is where the word is for as long as the call lasts. `begins`: the kernel has called,
  // so this is no circle, whatever the record of a signal that was left by siglongjmp seems to say.
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
    std::atomic<u64> seal;
    std::atomic<std::uintptr_t> frame, evidence;
    std::atomic<SignalWord> name;
    std::atomic<u32> depth;
  };
  static u64 seal(const Values& values) { return seal_of(values.who, values.frame, values.evidence, values.name, values.depth); }

  static constexpr u32 kEntries = 64;
  static constexpr u32 kDeepest = 4;
  static constexpr std::uintptr_t kFar = 1 << 17;  // what is farther away is not on the same stack

  static std::uintptr_t thread() { return (std::uintptr_t)pthread_self(); }  // a number or a pointer
  static u32 place_of(int signo) {
    return static_cast<u32>((thread() + static_cast<std::uintptr_t>(signo)) * u64{0x9e3779b97f4a7c15} >> 58) & (kEntries - 1);
  }
  // Not inlined, as it may read any place of this stack, which a sanitizer would report.
  [[gnu::noinline, gnu::no_sanitize_address]] static SignalWord read(std::uintptr_t place) {
    SignalWord word;
    std::memcpy(&word, reinterpret_cast<const void*>(place), sizeof word);
    return word;
  }
  void store(const Values& values) {
    entry_.frame.store(values.frame, std::memory_order_relaxed);
    entry_.evidence.store(values.evidence, std::memory_order_relaxed);
    entry_.name.store(values.name, std::memory_order_relaxed);
    entry_.depth.store(values.depth, std::memory_order_relaxed);
    entry_.seal.store(seal(values), std::memory_order_relaxed);
  }

  inline static constinit Entry entries[kEntries]{};

  Entry& entry_;
  const std::uintptr_t who_, frame_;
  Values outer_{};
  SignalWord word_ = 0;
};

}  // namespace
}  // namespace threadsafe
