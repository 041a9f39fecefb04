// A native thread that puts through threadsafe.h, and the bare mechanisms that the package is
// measured against: a Node-API call for each put and get, uv_async_send from another thread and
// from a signal handler, and napi_threadsafe_function. This is for benchmarks alone: it checks no
// arguments and frees nothing.
#include <node_api.h>
#include <signal.h>
#include <threadsafe.h>
#include <time.h>
#include <uv.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>

#include "number_queue.h"

namespace threadsafe::bench {
namespace {

// CLOCK_MONOTONIC, which process.hrtime.bigint() reads too. A double is exact up to 104 days of
// uptime.
double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

constexpr std::size_t kMostArguments = 4;

struct Call {
  Call(napi_env e, napi_callback_info info) : env(e) {
    std::size_t count = kMostArguments;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  }
  double number(int k) const {
    double value = 0;
    napi_get_value_double(env, arguments[k], &value);
    return value;
  }
  template <class T>
  T* pointer(int k) const {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(number(k)));
  }
  napi_value result(double value) const {
    napi_value created;
    napi_create_double(env, value, &created);
    return created;
  }

  napi_env env;
  napi_value arguments[kMostArguments];
  void* data = nullptr;
};

void set_function(napi_env env, napi_value object, const char* name, napi_callback callback, void* data = nullptr) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function);
  napi_set_named_property(env, object, name, function);
}

// -- A call for each put and get, by functions that are bound to the queue. --

napi_value put(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  napi_value result;
  napi_get_boolean(env, static_cast<NumberQueue*>(call.data)->try_put(call.number(0)) == Status::ok, &result);
  return result;
}

napi_value get(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  double value = 0;
  if (static_cast<NumberQueue*>(call.data)->try_get(value) == Status::ok) return call.result(value);
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  return undefined;
}

// (memory: a zeroed Uint8Array; capacity) => { put, get }. The memory is one kLine longer than the
// queue needs.
napi_value open_queue(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  void* bytes = nullptr;
  napi_get_typedarray_info(env, call.arguments[0], nullptr, nullptr, &bytes, nullptr, nullptr);
  const auto address = (reinterpret_cast<std::uintptr_t>(bytes) + kLine - 1) / kLine * kLine;
  auto* const queue = new NumberQueue(reinterpret_cast<void*>(address), static_cast<u32>(call.number(1)));
  napi_value object;
  napi_create_object(env, &object);
  set_function(env, object, "put", put, queue);
  set_function(env, object, "get", get, queue);
  return object;
}

napi_value queue_bytes(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.result(static_cast<double>(bytes_of_numbers(static_cast<u32>(call.number(0))) + kLine));
}

// -- A record behind a mutex, and a call for each read and write. --

struct MutexRecord {
  std::mutex mutex;
  double fields[8]{};
};

double* doubles_in(const Call& call) {
  void* data = nullptr;
  napi_get_typedarray_info(call.env, call.arguments[0], nullptr, nullptr, &data, nullptr, nullptr);
  return static_cast<double*>(data);
}

napi_value read_record(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto& record = *static_cast<MutexRecord*>(call.data);
  double* const to = doubles_in(call);
  const std::lock_guard lock(record.mutex);
  std::memcpy(to, record.fields, sizeof record.fields);
  return nullptr;
}

napi_value write_record(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto& record = *static_cast<MutexRecord*>(call.data);
  const double* const from = doubles_in(call);
  const std::lock_guard lock(record.mutex);
  std::memcpy(record.fields, from, sizeof record.fields);
  return nullptr;
}

// () => { read, write }, which take a Float64Array of 8.
napi_value open_record(napi_env env, napi_callback_info) {
  auto* const record = new MutexRecord;
  napi_value object;
  napi_create_object(env, &object);
  set_function(env, object, "read", read_record, record);
  set_function(env, object, "write", write_record, record);
  return object;
}

// -- A bare uv_async_t. --

struct Async {
  uv_async_t handle;
  napi_env env;
  napi_ref callback;
  std::atomic<double> stamp{0};
  std::atomic<bool> seen{false};
};

void call_back(napi_env env, napi_value function, double stamp) {
  napi_value global, argument;
  napi_get_global(env, &global);
  napi_create_double(env, stamp, &argument);
  napi_make_callback(env, nullptr, global, function, 1, &argument, nullptr);
}

void send(Async& async) {
  async.stamp.store(now(), std::memory_order_relaxed);
  uv_async_send(&async.handle);
}

// (callback: (stamp) => void) => the async's address, for the functions below, in any thread.
napi_value open_async(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto* const async = new Async;
  async->env = env;
  napi_create_reference(env, call.arguments[0], 1, &async->callback);
  uv_loop_t* loop;
  napi_get_uv_event_loop(env, &loop);
  uv_async_init(loop, &async->handle, [](uv_async_t* handle) {
    auto& async = *reinterpret_cast<Async*>(handle);
    napi_handle_scope scope;
    napi_open_handle_scope(async.env, &scope);
    napi_value function;
    napi_get_reference_value(async.env, async.callback, &function);
    call_back(async.env, function, async.stamp.load(std::memory_order_relaxed));
    async.seen.store(true);
    napi_close_handle_scope(async.env, scope);
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&async->handle));
  return call.result(static_cast<double>(reinterpret_cast<std::uintptr_t>(async)));
}

napi_value send_async(napi_env env, napi_callback_info info) {
  send(*Call(env, info).pointer<Async>(0));
  return nullptr;
}

std::atomic<Async*> signal_target;

// (signal, async): installs the simplest possible handler.
napi_value send_async_on_signal(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  signal_target.store(call.pointer<Async>(1));
  struct sigaction action{};
  action.sa_handler = [](int) { send(*signal_target.load(std::memory_order_relaxed)); };
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigaction(static_cast<int>(call.number(0)), &action, nullptr);
  return nullptr;
}

// -- Native threads. --

template <class Send, class Done>
void start_thread(std::uint64_t times, double pause_microseconds, Send send, Done done) {
  std::thread([=] {
    for (std::uint64_t k = 0; k < times; k++) {
      if (pause_microseconds > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(pause_microseconds));
      send();
    }
    done();
  }).detach();
}

template <class Send>
void start_thread(std::uint64_t times, double pause_microseconds, Send send) {
  start_thread(times, pause_microseconds, send, [] {});
}

// (queue.native of float64, times, pause in microseconds): each item is the time of its put.
napi_value put_from_thread(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  threadsafe_queue* queue;
  const threadsafe_status status = threadsafe_queue_open(env, call.arguments[0], THREADSAFE_FLOAT64, sizeof(double), &queue);
  if (status != THREADSAFE_OK) {
    napi_throw_error(env, nullptr, threadsafe_status_text(status));
    return nullptr;
  }
  const auto put = [queue] {
    const double stamp = now();
    threadsafe_put(queue, &stamp, sizeof stamp, THREADSAFE_FOREVER);
  };
  start_thread(static_cast<std::uint64_t>(call.number(1)), call.number(2), put, [queue] { threadsafe_queue_close(queue); });
  return nullptr;
}

// (async, times, pause in microseconds)
napi_value send_async_from_thread(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto* const async = call.pointer<Async>(0);
  start_thread(static_cast<std::uint64_t>(call.number(1)), call.number(2), [async] {
    async->seen.store(false);
    send(*async);
    // Waits for the callback, since two sends at once would merge.
    while (!async->seen.load()) std::this_thread::sleep_for(std::chrono::microseconds(50));
  });
  return nullptr;
}

static_assert(sizeof(void*) == sizeof(double), "a stamp travels as the pointer that a thread-safe function carries");

// (callback: (stamp) => void) => the thread-safe function's address
napi_value open_threadsafe_function(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  napi_value name;
  napi_create_string_utf8(env, "bench", NAPI_AUTO_LENGTH, &name);
  napi_threadsafe_function function;
  const auto on_call = [](napi_env env, napi_value callback, void*, void* data) {
    double stamp;
    std::memcpy(&stamp, &data, sizeof stamp);
    napi_value undefined, argument;
    napi_get_undefined(env, &undefined);
    napi_create_double(env, stamp, &argument);
    napi_call_function(env, undefined, callback, 1, &argument, nullptr);
  };
  napi_create_threadsafe_function(env, call.arguments[0], nullptr, name, 0, 1, nullptr, nullptr, nullptr, on_call, &function);
  napi_unref_threadsafe_function(env, function);
  return call.result(static_cast<double>(reinterpret_cast<std::uintptr_t>(function)));
}

// (threadsafe function, times, pause in microseconds)
napi_value call_from_thread(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  auto* const function = call.pointer<napi_threadsafe_function__>(0);
  start_thread(static_cast<std::uint64_t>(call.number(1)), call.number(2), [function] {
    const double stamp = now();
    void* data;
    std::memcpy(&data, &stamp, sizeof data);
    napi_call_threadsafe_function(function, data, napi_tsfn_blocking);
  });
  return nullptr;
}

napi_value init(napi_env env, napi_value exports) {
  set_function(env, exports, "queueBytes", queue_bytes);
  set_function(env, exports, "openQueue", open_queue);
  set_function(env, exports, "openRecord", open_record);
  set_function(env, exports, "putFromThread", put_from_thread);
  set_function(env, exports, "openAsync", open_async);
  set_function(env, exports, "sendAsync", send_async);
  set_function(env, exports, "sendAsyncOnSignal", send_async_on_signal);
  set_function(env, exports, "sendAsyncFromThread", send_async_from_thread);
  set_function(env, exports, "openThreadsafeFunction", open_threadsafe_function);
  set_function(env, exports, "callFromThread", call_from_thread);
  return exports;
}

}  // namespace
}  // namespace threadsafe::bench

NAPI_MODULE_INIT() { return threadsafe::bench::init(env, exports); }
