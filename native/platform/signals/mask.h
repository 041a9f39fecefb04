// Masks of signals, as the kernel has them. All but find_every_signal() is for the signal handler.
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstring>

#include "../../core/layout.h"

namespace threadsafe {
namespace {

// A mask as the kernel has it: bit signo - 1. A sigset_t is longer in some libraries, but the
// kernel writes no more of one than this.
using SignalMask = u64;

constexpr std::size_t kMaskBytes = std::min(sizeof(sigset_t), sizeof(SignalMask));

SignalMask mask_of(const sigset_t& set) {
  SignalMask mask = 0;
  std::memcpy(&mask, &set, kMaskBytes);
  return mask;
}

SignalMask bit_of(int signo) { return SignalMask{1} << (signo - 1); }

// All signals that can be blocked. Set before the first handler is installed.
constinit SignalMask every_signal = 0;

void find_every_signal() {
  sigset_t all;
  sigfillset(&all);
  every_signal = mask_of(all) & ~bit_of(SIGKILL) & ~bit_of(SIGSTOP);
#ifdef SIGRTMIN
  // The C library keeps these for itself, and never blocks them.
  for (int signo = 32; signo < SIGRTMIN; signo++) every_signal &= ~bit_of(signo);
#endif
}

// Returns the mask that was in place before.
SignalMask block_every_signal() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  return mask_of(before);
}

void block_exactly(SignalMask mask) {
  sigset_t set;
  sigemptyset(&set);
  std::memcpy(&set, &mask, kMaskBytes);
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

}  // namespace
}  // namespace threadsafe
