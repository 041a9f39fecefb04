// What an isolate does so that libuv leaves the handlers of its sources' signals alone: it keeps a uv_signal_t of its own for the signal,
// and as long as that is there, libuv neither installs its handler over ours nor the default action in place of it. Such a handle costs a
// write to a pipe and a wake of the loop for each signal, so there is one only where libuv is at work anyway: for SIGCHLD, of which no
// event of Node's tells when libuv begins and ends to listen to it, and for signals that process.on() listens to.
#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "../core/layout.h"
#include "../platform/doorbell.h"

namespace threadsafe {

// All of it in the isolate's thread.
class LibuvSignals {
 public:
  // One more source of that signal.
  void attached(uv_loop_t* loop, int signo);
  // One source less, which is detached.
  void detached(int signo);

  // process.on() is about to begin or end to listen to that signal; it has, and whether it listens. In the main thread.
  void will_listen(int signo);
  void has_listened(uv_loop_t* loop, int signo, bool listens);

  // Closes all handles. closed(data) is called when that is done.
  void close(void (*closed)(void* data), void* data);

 private:
  struct Handle {
    uv_signal_t signal;  // the first member: the handle leads here
    LibuvSignals* owner;
    int signo;
    u32 sources;
    bool for_others;  // for sources of other isolates as well, while process.on() listens in this one
    bool runs;
  };

  Handle* find(int signo);
  Handle* make(uv_loop_t* loop, int signo);
  void start(Handle& handle);
  void stop_if_unused(Handle& handle);
  void sweep();
  void closed_one();

  std::vector<std::unique_ptr<Handle>> handles_;
  u32 bell_ = kNoDoorbell;
  u32 closing_ = 0;
  void (*closed_)(void* data) = nullptr;
  void* data_ = nullptr;
};

}  // namespace threadsafe
