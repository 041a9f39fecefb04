#include "loop.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "environment.h"

namespace threadsafe {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kNanosecondsPerMillisecond = 1e6;

// How long asynchronous calls may be served at once in one iteration of the loop. They need only
// microtasks, and keep everything else waiting.
constexpr u64 kMostNanoseconds = 1'000'000;

// The most calls between two looks. A look costs as much as most calls, but more calls would be too
// many if each suddenly took some milliseconds.
constexpr u32 kMostCalls = 8;

// The longest that the timer is set to: 24 days.
constexpr double kLongestMilliseconds = 2147483647;

}  // namespace

Listener::Listener(std::shared_ptr<Environment> environment, const Napi::Function& call, const Shared& shared)
    : environment_(std::move(environment)),
      call_(Napi::Weak(call)),
      calls_left_reference_(Napi::Persistent(shared.calls_left)),
      rung_reference_(Napi::Persistent(shared.rung)),
      calls_left_(const_cast<Napi::Int32Array&>(shared.calls_left).Data()),
      rung_(const_cast<Napi::Float64Array&>(shared.rung).Data()) {
  environment_->loop().add(*this);
}

Listener::~Listener() { environment_->loop().remove(*this); }

void Listener::keep(bool alive, bool waits) {
  if (waits != waits_) {
    if (waits) {
      call_.Ref();
    } else {
      call_.Unref();
    }
  }
  waits_ = waits;
  alive_ = alive;
  environment_->loop().keep_alive();
}

double Listener::set_deadline(double call, double milliseconds) {
  const double at = static_cast<double>(uv_hrtime()) + milliseconds * kNanosecondsPerMillisecond;
  deadlines_.insert({at, call});
  Loop& loop = environment_->loop();
  if (at < loop.armed_) loop.arm();
  return at;
}

// These outlive the Loop, until libuv has closed them.
struct Loop::Handles {
  uv_prepare_t iteration;  // active from the first look in an iteration until the next one comes to its poll phase
  uv_timer_t timer;
  u32 open = 3;  // the doorbell is the third
  void (*ended)(void* data) = nullptr;
  void* data = nullptr;

  void closed() {
    if (--open > 0) return;
    ended(data);
    delete this;
  }
};

Loop::~Loop() = default;

bool Loop::open(napi_env env) {
  if (doorbell_ != kNoDoorbell) return true;
  uv_loop_t* loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  doorbell_ = open_doorbell(loop, is_libuvs_, [](void* data) { static_cast<Loop*>(data)->rung(); }, this);
  if (doorbell_ == kNoDoorbell) return false;
  env_ = env;
  armed_ = kNever;
  handles_ = new Handles;
  uv_prepare_init(loop, &handles_->iteration);
  uv_timer_init(loop, &handles_->timer);
  handles_->iteration.data = handles_->timer.data = this;
  // Only waiting calls keep the loop alive, and they do so by the doorbell.
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->iteration));
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->timer));
  return true;
}

void Loop::remove(Listener& listener) {
  std::erase(listeners_, &listener);
  keep_alive();
}

void Loop::keep_alive() {
  if (handles_) keep_loop_alive(doorbell_, std::any_of(listeners_.begin(), listeners_.end(), [](Listener* one) { return one->alive_; }));
}

void Loop::iteration_ends() {
  uv_prepare_stop(&handles_->iteration);
  for (Listener* const listener : listeners_) *listener->calls_left_ = 1;
}

u32 Loop::look() {
  const u64 now = uv_hrtime();
  if (!uv_is_active(reinterpret_cast<uv_handle_t*>(&handles_->iteration))) {
    uv_prepare_start(&handles_->iteration, [](uv_prepare_t* iteration) { static_cast<Loop*>(iteration->data)->iteration_ends(); });
    began_ = looked_ = now;
    allowed_ = 1;
    return 1;
  }
  const u64 since_began = now - began_;
  if (since_began >= kMostNanoseconds) {
    ring_doorbell(doorbell_);
    return 0;
  }
  // Allows as many calls as there is time for, if each takes as long as those since the last look,
  // and at most twice as many as then.
  const u64 took = std::max<u64>(now - looked_, 1);
  const u64 time_for = (kMostNanoseconds - since_began) * allowed_ / took;
  looked_ = now;
  allowed_ = static_cast<u32>(std::clamp<u64>(time_for, 1, std::min(2 * allowed_, kMostCalls)));
  return allowed_;
}

void Loop::rung() {
  const Napi::HandleScope scope(env_);
  // First, for its fence: whoever is merged into a ring that libuv has just taken has published its
  // change before that fence, so it is seen by all looks below. Without the fence, a processor may
  // look before its own clearing of the ring is visible (ARM64 without LSE).
  const Rung rung = take_rung(doorbell_);
  environment_.native_handles().sweep();
  environment_.collect_if_asked();
  std::vector<Call> calls;
  for (Listener* const listener : listeners_) {
    listener->rung_[0] = rung.everything ? -1.0 : rung.count;
    for (u32 k = 0; k < rung.count; k++) listener->rung_[k + 1] = static_cast<double>(reinterpret_cast<std::uintptr_t>(rung.lists[k]));
    const Napi::Function function = listener->call_.Value();
    if (!function.IsEmpty()) calls.push_back({function, nullptr});
  }
  call(calls);
}

void Loop::due() {
  const Napi::HandleScope scope(env_);
  const auto now = static_cast<double>(uv_hrtime());
  std::vector<Call> calls;
  for (Listener* const listener : listeners_) {
    auto& deadlines = listener->deadlines_;
    const auto end = deadlines.lower_bound({std::nextafter(now, kNever), 0});
    if (end == deadlines.begin()) continue;
    Napi::Array due = Napi::Array::New(env_);
    u32 count = 0;
    for (auto deadline = deadlines.begin(); deadline != end; ++deadline) due[count++] = Napi::Number::New(env_, deadline->second);
    deadlines.erase(deadlines.begin(), end);
    const Napi::Function function = listener->call_.Value();
    if (!function.IsEmpty()) calls.push_back({function, due});
  }
  arm();
  call(calls);
}

// Makes calls that were collected before, since a callback may add listeners, and a garbage
// collection remove some.
void Loop::call(const std::vector<Call>& calls) {
  // Made here, where the loop calls and no user code is running. So it belongs to no caller's async
  // context, and keeps none alive.
  if (!context_) context_ = std::make_unique<Napi::AsyncContext>(env_, "threadsafe");
  for (const auto& [function, due] : calls) {
    napi_value receiver, result, error;
    // The receiver can't be undefined: a callback into JavaScript from the loop needs an object, in
    // whose context it runs.
    napi_get_global(env_, &receiver);
    const napi_status status = napi_make_callback(env_, *context_, receiver, function, due ? 1 : 0, due ? &due : nullptr, &result);
    if (status == napi_pending_exception && napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
  }
}

// Sets the timer. It counts milliseconds of the loop's own clock, which stands still while the loop
// is busy. If it goes off early, it is set again.
void Loop::arm() {
  armed_ = kNever;
  for (const Listener* const listener : listeners_) {
    if (!listener->deadlines_.empty()) armed_ = std::min(armed_, listener->deadlines_.begin()->first);
  }
  if (armed_ == kNever) return;
  const double left = (armed_ - static_cast<double>(uv_hrtime())) / kNanosecondsPerMillisecond;
  const auto milliseconds = static_cast<u64>(std::clamp(std::ceil(left), 0.0, kLongestMilliseconds));
  uv_timer_start(&handles_->timer, [](uv_timer_t* timer) { static_cast<Loop*>(timer->data)->due(); }, milliseconds, 0);
}

void Loop::end(void (*ended)(void* data), void* data) {
  listeners_.clear();
  context_.reset();
  if (!handles_) return ended(data);
  Handles* const handles = std::exchange(handles_, nullptr);
  handles->ended = ended;
  handles->data = data;
  const auto closed = [](uv_handle_t* handle) { static_cast<Handles*>(handle->data)->closed(); };
  handles->iteration.data = handles->timer.data = handles;
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->iteration), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->timer), closed);
  close_doorbell(doorbell_, [](void* handles) { static_cast<Handles*>(handles)->closed(); }, handles);
}

}  // namespace threadsafe
