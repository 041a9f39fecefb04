// Finds out whose handler one is: libuv's, or that of another copy of this package, which can be
// asked about it. Not for the signal handler; the functions about libuv run under attach_mutex().
//
// POSIX only; signals_posix.cc alone includes it.
#pragma once

#include <dlfcn.h>
#include <signal.h>
#include <uv.h>

#include <atomic>

#include "handler.h"
#include "tables.h"

// By these, copies of this package in one process ask each other whether a copy's handler is needed
// for that signal, and whether it calls that other handler (0: no, 1: a handler that it calls may,
// 2: yes); and they tell each other that libuv does not listen to that signal any more. Names and
// meanings must never change. Another copy calls them under its attach_mutex(), not under ours, so
// they only use atomics.
extern "C" {
[[gnu::visibility("default")]] int threadsafe_signal_in_use(int signo);
[[gnu::visibility("default")]] int threadsafe_signal_calls(int signo, const void* handler);
[[gnu::visibility("default")]] void threadsafe_signal_libuv_gone(int signo);
}

namespace threadsafe {
namespace {

// libuv's handler, once that is known: see know_libuv(). It is only compared. Sequentially
// consistent, both of these, where relaxed would do: each is set once and brings nothing with it.
constinit std::atomic<const void*> libuv_handler{nullptr};
constinit std::atomic<bool> libuv_is_there{false};

bool is_libuvs(const struct sigaction& action) { return is_called(action) && address_of(action) == libuv_handler.load(); }

// If that is the handler of another copy of this package, returns the function of that name which
// the copy exports; else null.
template <class Function>
Function* ask_copy(const struct sigaction& action, Function*, const char* name) {
  Dl_info library;
  if (!is_called(action) || dladdr(address_of(action), &library) == 0) return nullptr;
  void* const handle = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (!handle) return nullptr;
  auto* const function = reinterpret_cast<Function*>(dlsym(handle, name));
  dlclose(handle);  // the library stays, as its handler is installed
  return function;
}

bool is_copy(const struct sigaction& action) { return ask_copy(action, &threadsafe_signal_calls, "threadsafe_signal_calls") != nullptr; }

// True for the handler of another copy that has no source for the signal and nobody to pass it on
// for.
bool is_idle_copy(const struct sigaction& action, int signo) {
  const auto in_use_there = ask_copy(action, &threadsafe_signal_in_use, "threadsafe_signal_in_use");
  return in_use_there && !in_use_there(signo);
}

// True if somebody has to call ours: for a source, or so that it passes signals on to others.
bool is_needed(int signo) {
  Signal& signal = signals[signo];
  if (signal.attached.load() > 0) return true;
  // Guards against recursion: two copies may have only each other to call.
  static thread_local bool is_asked = false;
  if (signal.is_out.load() || is_asked) return false;
  is_asked = true;
  bool needed = false;
  signal.chain.for_each_called([&](const Previous& previous) { needed = needed || !is_idle_copy(previous.action(), signo); });
  is_asked = false;
  return needed;
}

enum class CallsOurs { no, perhaps, yes };

// True if that one passes signals on to ours. Another copy says so; nobody else can be asked.
CallsOurs calls_ours(const struct sigaction& action, int signo) {
  const auto calls = ask_copy(action, &threadsafe_signal_calls, "threadsafe_signal_calls");
  if (!calls) return is_libuvs(action) ? CallsOurs::no : CallsOurs::perhaps;
  return static_cast<CallsOurs>(calls(signo, address_of(our_action())));
}

// An event loop that nobody runs, for handles that exist only for what libuv does when they start
// and stop. Null if it can't be made.
uv_loop_t* quiet_loop() {
  static auto* const loop = new uv_loop_t;
  static const bool made = uv_loop_init(loop) == 0;
  return made ? loop : nullptr;
}

void hear_nothing(uv_signal_t*, int) {}

// Finds libuv's handler, by starting a handle for a signal that nobody uses, and whose default
// action is to ignore it.
void know_libuv() {
  if (!libuv_is_there.load() || libuv_handler.load() || !quiet_loop()) return;
  static auto* const handle = new uv_signal_t;
  static const bool made = uv_signal_init(quiet_loop(), handle) == 0;
  for (const int signo : {SIGURG, SIGWINCH, SIGCHLD}) {
    struct sigaction action;
    if (sigaction(signo, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    if (!made || uv_signal_start(handle, hear_nothing, signo) != 0) return;
    if (sigaction(signo, nullptr, &action) == 0) libuv_handler.store(address_of(action));
    uv_signal_stop(handle);
    return;
  }
}

}  // namespace
}  // namespace threadsafe
