// Installs our handler, and puts back what was there before. All of this runs under attach_mutex().
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <signal.h>

#include <atomic>
#include <cerrno>

#include "handler.h"
#include "others.h"
#include "tables.h"

namespace threadsafe {
namespace {

void forget_libuvs(Signal& signal) {
  // Relaxed: a handler that is just going may still be called.
  if (Previous* const libuvs = signal.chain.find(libuv_handler.load())) libuvs->gone.store(true, std::memory_order_relaxed);
}

// Has the handler that ours has replaced, or is about to, called after ours from now on. Returns
// whether it was not called before.
bool remember(Signal& signal, int signo, const struct sigaction& action, bool begins_period = false) {
  bool is_new = false;
  if (is_called(action)) {
    const bool may_call_ours = begins_period && calls_ours(action, signo) != CallsOurs::no;
    signal.replaced = signal.chain.add(signo, action, {may_call_ours, signal.was_installed, is_copy(action)}, is_new);
  } else {
    signal.replaced = nullptr;
    signal.uncalled = action;
  }
  return is_new;
}

// Installs our handler. `is_first`: for the first source; then, if ours is not in place any more, a
// new period begins.
int install_handler(int signo, bool is_first = false) {
  Signal& signal = signals[signo];
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0) return errno;
  if (is_ours(current)) return 0;
  // If another copy calls ours anyway, whatever ours calls has the signal.
  is_first = is_first && !(is_called(current) && calls_ours(current, signo) == CallsOurs::yes);
  if (is_first) {
    signal.chain.begin_period(signal.is_out.load());  // only stored under attach_mutex(): any order would do
    signal.stays = false;
    signal.replaced = nullptr;
    signal.uncalled = {};
  }
  // Remembered before ours is installed, so that the first signal finds it. If another handler has
  // come by then, the one that was really replaced counts.
  const bool is_new = remember(signal, signo, current, is_first);
  if (is_first) signal.chain.enter_period();
  Previous* const expected = signal.replaced;
  const struct sigaction ours = our_action();
  struct sigaction replaced;
  if (sigaction(signo, &ours, &replaced) != 0) return errno;
  if (!is_ours(replaced) && (is_called(replaced) != is_called(current) || address_of(replaced) != address_of(current))) {
    // Relaxed: likewise.
    if (is_new && expected) expected->gone.store(true, std::memory_order_relaxed);
    remember(signal, signo, replaced, is_first);
  }
  signal.was_installed = true;
  signal.is_out.store(false);
  return 0;
}

// Puts that in place of ours, but leaves a handler that somebody may have installed meanwhile.
void put_back(int signo, const struct sigaction& action) {
  struct sigaction current;
  if (sigaction(signo, &action, &current) == 0 && !is_ours(current)) sigaction(signo, &current, nullptr);
}

// Called when there is no source any more: puts back the one handler that was there before. If
// there are several, ours stays, as without it all but one would get no signals.
void leave_handler(int signo) {
  Signal& signal = signals[signo];
  signal.stays = false;
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0 || !is_ours(current)) return;  // replaced since: not ours to restore
  u32 count = 0;
  Previous* left = nullptr;
  signal.chain.for_each([&](Previous& previous) {
    if (is_idle_copy(previous.action(), signo)) return;
    count++;
    left = &previous;
  });
  if (count > 1) {
    signal.stays = true;
    return;
  }
  if (left && signal.replaced) {
    const struct sigaction& action = left->action();
    put_back(signo, action);
    signal.chain.restored(*left);
    signal.is_out.store(!left->over_ours);
    if (!is_libuvs(action)) signal.uncalled = {};
  } else {
    put_back(signo, signal.uncalled);
    signal.uncalled = {};
    signal.is_out.store(true);
  }
}

}  // namespace
}  // namespace threadsafe
