// libuv installs and removes its handler without regard to others (see signals.h). This puts every
// handler in place again, and keeps libuv's from coming and going. All of this runs under
// attach_mutex().
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <signal.h>
#include <uv.h>

#include <atomic>

#include "install.h"
#include "others.h"
#include "tables.h"

namespace threadsafe {
namespace {

// Called when libuv may have put its handler, or the default action, in place of `covered`. Puts
// every handler in place again.
void after_libuv(int signo, const struct sigaction& covered) {
  Signal& signal = signals[signo];
  struct sigaction current;
  if (sigaction(signo, nullptr, &current) != 0 || is_ours(current)) return;
  // Ours was there only on behalf of others, and somebody has removed it for all of them.
  if (signal.attached.load() == 0 && !is_called(covered)) signal.stays = false;
  // The last listener has gone, and libuv has put the default action in place of whatever was
  // there.
  const bool libuv_has_gone = is_called(covered) && !is_called(current);
  if (libuv_has_gone) {
    forget_libuvs(signal);
    const auto tell = [&](const struct sigaction& action) {
      if (const auto gone = ask_copy(action, &threadsafe_signal_libuv_gone, "threadsafe_signal_libuv_gone")) gone(signo);
    };
    tell(covered);
    signal.chain.for_each_called([&](const Previous& previous) { tell(previous.action()); });
  }
  // If it is neither libuv's nor the default action that is there now, and was not there before,
  // another copy of this package has already put itself there, and calls what libuv has displaced.
  const bool by_libuv = is_libuvs(current) || !is_called(current);
  if (signal.attached.load() > 0 || (signal.stays && by_libuv)) {
    if (by_libuv && is_called(covered) && !is_ours(covered) && !is_libuvs(covered)) remember(signal, signo, covered);
    const struct sigaction uncalled = signal.uncalled;
    Previous* const replaced = signal.replaced;
    install_handler(signo);
    if (libuv_has_gone && !signal.replaced) {  // the default action is nobody's will but libuv's
      signal.replaced = replaced;
      signal.uncalled = uncalled;
    }
  } else if (libuv_has_gone) {
    sigaction(signo, is_libuvs(covered) || is_idle_copy(covered, signo) ? &signal.uncalled : &covered, nullptr);
  }
  if (libuv_has_gone && signal.attached.load() == 0) leave_handler(signo);
}

// Keeps libuv's handler where it is, by a uv_signal_t of our own, from when libuv is at work for
// the signal until there are no sources. Otherwise the last listener that goes would leave the
// default action behind, which may end the process. And handlers that call libuv's as the one
// before theirs would call it twice when it comes back. SIGCHLD is always held, as no event
// announces its listeners, which are the child processes. For each signal this costs libuv's
// handler a write to a pipe that is full, and nobody is woken.
void hold_libuv(int signo) {
  Signal& signal = signals[signo];
  const bool at_work = libuv_is_there.load() && (signo == SIGCHLD || signal.listened || signal.is_held);
  const bool wanted = signal.attached.load() > 0 && at_work;
  if (wanted == signal.is_held) return;
  if (!signal.hold) {
    uv_loop_t* const loop = quiet_loop();
    auto* const made = new uv_signal_t;
    if (!loop || uv_signal_init(loop, made) != 0) {
      delete made;
      return;  // then it goes without
    }
    signal.hold = made;
  }
  know_libuv();
  struct sigaction covered;
  sigaction(signo, nullptr, &covered);
  if (wanted) {
    signal.is_held = uv_signal_start(signal.hold, hear_nothing, signo) == 0;
  } else {
    uv_signal_stop(signal.hold);
    signal.is_held = false;
  }
  after_libuv(signo, covered);
}

}  // namespace
}  // namespace threadsafe
