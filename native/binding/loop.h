// The parts of this isolate's event loop that are ours: the doorbell, the deadlines of waiting
// calls, and the time that asynchronous calls have used in the current iteration. All of it uses
// libuv directly, and not Node's JavaScript timers, which tests replace.
#pragma once

#include <napi.h>
#include <uv.h>

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "../core/layout.h"
#include "../platform/doorbell.h"

namespace threadsafe {

class Environment;
class Loop;

// One evaluation of the package's JavaScript. There may be several in an isolate (Jest's module
// registry, require() beside import), and all of them share the doorbell: a ring is for each of
// them. JavaScript owns this object.
class Listener {
 public:
  // Arrays that the loop writes and JavaScript reads. `calls_left` is one number, from which
  // JavaScript counts down to its next look; each iteration of the loop begins with a look. `rung`
  // has the number of wait lists that the doorbell was rung for, or -1 to look at all of them, and
  // then their addresses.
  struct Shared {
    Napi::Int32Array calls_left;
    Napi::Float64Array rung;
  };

  Listener(std::shared_ptr<Environment> environment, const Napi::Function& call, const Shared& shared);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // `alive`: its calls keep the loop alive. `waits`: it has waiting calls, so that its function
  // must not be collected.
  void keep(bool alive, bool waits);

  // Makes the call of that number due in so many milliseconds. Returns the time at which it is due,
  // which clear_deadline() takes.
  double set_deadline(double call, double milliseconds);
  void clear_deadline(double call, double at) { deadlines_.erase({at, call}); }

 private:
  friend Loop;

  const std::shared_ptr<Environment> environment_;
  // Weak while none of its calls waits, so that an evaluation that nobody uses any more can be
  // collected.
  Napi::FunctionReference call_;
  const Napi::Reference<Napi::Int32Array> calls_left_reference_;
  const Napi::Reference<Napi::Float64Array> rung_reference_;
  int* const calls_left_;
  double* const rung_;
  bool alive_ = false;
  bool waits_ = false;
  std::set<std::pair<double, double>> deadlines_;  // when, in nanoseconds of uv_hrtime(); number of the call
};

class Loop {
 public:
  explicit Loop(Environment& environment) : environment_(environment) {}
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Opens the doorbell, once. Returns false if all are in use.
  bool open(napi_env env);
  // Says that the loop is libuv's, which can be asked whether it is idle. Call it before open().
  void is_libuvs() { is_libuvs_ = true; }
  bool has_several_listeners() const { return listeners_.size() > 1; }
  u32 doorbell() const { return doorbell_; }

  // Returns how many asynchronous calls may be served at once, this one included, before the next
  // look. 0 means none in this iteration of the loop; then the doorbell has been rung, so that they
  // are served in the next one. Needs an open doorbell.
  u32 look();

  void add(Listener& listener) { listeners_.push_back(&listener); }
  void remove(Listener& listener);

  // Called when the isolate ends. ended(data) is called when the loop has nothing of ours any more.
  void end(void (*ended)(void* data), void* data);

 private:
  friend Listener;

  struct Handles;
  struct Call {
    napi_value function;
    napi_value due;
  };

  void rung();
  void iteration_ends();
  void due();
  void call(const std::vector<Call>& calls);
  void keep_alive();
  void arm();

  Environment& environment_;
  napi_env env_ = nullptr;
  bool is_libuvs_ = false;
  u32 doorbell_ = kNoDoorbell;
  std::unique_ptr<Napi::AsyncContext> context_;
  std::vector<Listener*> listeners_;
  Handles* handles_ = nullptr;
  double armed_ = 0;  // when the timer goes off
  u64 began_ = 0;     // when the first call of this iteration was looked at
  u64 looked_ = 0;    // when the last one was
  u32 allowed_ = 1;   // what that look returned
};

}  // namespace threadsafe
