#include "libuv_signals.h"

#include <signal.h>

#include <atomic>

#include "../platform/signals.h"

namespace threadsafe {
namespace {

// Of the main thread, rung when a source is detached somewhere.
constinit std::atomic<u32> bell_for_others{kNoDoorbell};

void hear(uv_signal_t*, int) {}

// Starting for a signal that nobody uses, and that is ignored if nobody does, is how libuv's handler is found out.
void learn_handler(uv_signal_t& handle) {
  if (libuv_handler_known()) return;
#ifndef _WIN32
  for (const int signo : {SIGURG, SIGWINCH, SIGCHLD}) {
    if (current_handler(signo) != nullptr || uv_signal_start(&handle, hear, signo) != 0) continue;
    know_libuv_handler(current_handler(signo));
    uv_signal_stop(&handle);
    return;
  }
#endif
}

bool is_listened_by_libuv(int signo) {
#ifdef SIGCHLD
  if (signo == SIGCHLD) return true;
#endif
  return is_listened(signo);
}

}  // namespace

LibuvSignals::Handle* LibuvSignals::find(int signo) {
  for (const auto& handle : handles_) {
    if (handle->signo == signo) return handle.get();
  }
  return nullptr;
}

// Null if there is no memory for it, or no pipe; then it has to go without.
LibuvSignals::Handle* LibuvSignals::make(uv_loop_t* loop, int signo) {
  if (Handle* const known = find(signo)) return known;
  auto made = std::make_unique<Handle>(Handle{{}, this, signo, 0, false, false});
  if (uv_signal_init(loop, &made->signal) != 0) return nullptr;
  uv_unref(reinterpret_cast<uv_handle_t*>(&made->signal));
  learn_handler(made->signal);
  handles_.push_back(std::move(made));
  return handles_.back().get();
}

void LibuvSignals::start(Handle& handle) {
  if (handle.runs) return;
  libuv_will_change(handle.signo);
  handle.runs = uv_signal_start(&handle.signal, hear, handle.signo) == 0;
  libuv_has_changed(handle.signo);
}

void LibuvSignals::stop_if_unused(Handle& handle) {
  if (!handle.runs || handle.sources > 0 || (handle.for_others && has_sources(handle.signo))) return;
  handle.for_others = false;
  handle.runs = false;
  libuv_will_change(handle.signo);
  uv_signal_stop(&handle.signal);
  libuv_has_changed(handle.signo);
}

void LibuvSignals::attached(uv_loop_t* loop, int signo) {
  Handle* const handle = make(loop, signo);
  if (!handle) return;
  handle->sources++;
  if (is_listened_by_libuv(signo)) start(*handle);
}

void LibuvSignals::detached(int signo) {
  Handle* const handle = find(signo);
  if (handle && handle->sources > 0) handle->sources--;
  if (handle) stop_if_unused(*handle);
  const u32 bell = bell_for_others.load();
  if (bell != kNoDoorbell && bell != bell_) ring_doorbell(bell);
}

// Where no source needs it, libuv does as it would without this package.
void LibuvSignals::will_listen(int signo) {
  if (signal_in_use(signo)) libuv_will_change(signo);
}

void LibuvSignals::has_listened(uv_loop_t* loop, int signo, bool listens) {
  set_listened(signo, listens);
  libuv_has_changed(signo);
  if (!listens || !has_sources(signo)) {
    sweep();
    return;
  }
  if (bell_ == kNoDoorbell) {
    bell_ = open_doorbell(loop, [](void* data) { static_cast<LibuvSignals*>(data)->sweep(); }, this);
    bell_for_others.store(bell_);
  }
  Handle* const handle = make(loop, signo);
  // Without a doorbell it would not be known when it is to stop.
  if (!handle || bell_ == kNoDoorbell) return;
  handle->for_others = true;
  start(*handle);
}

void LibuvSignals::sweep() {
  for (const auto& handle : handles_) stop_if_unused(*handle);
}

void LibuvSignals::closed_one() {
  if (--closing_ == 0) closed_(data_);
}

void LibuvSignals::close(void (*closed)(void* data), void* data) {
  closed_ = closed;
  data_ = data;
  closing_ = 1;
  for (const auto& handle : handles_) {
    handle->sources = 0;
    handle->for_others = false;
    stop_if_unused(*handle);
    closing_++;
    uv_close(reinterpret_cast<uv_handle_t*>(&handle->signal),
             [](uv_handle_t* closing) { reinterpret_cast<Handle*>(closing)->owner->closed_one(); });
  }
  if (bell_ != kNoDoorbell) {
    bell_for_others.store(kNoDoorbell);
    closing_++;
    close_doorbell(bell_, [](void* self) { static_cast<LibuvSignals*>(self)->closed_one(); }, this);
  }
  closed_one();
}

}  // namespace threadsafe
