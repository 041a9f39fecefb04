/*
 * The addon's own signal handler, which writes a pool of values. The pool is a SharedRecord, which
 * it may write at any moment, or plain memory, which it leaves alone while a lock is held. A thread
 * sends the signal to the event loop's thread, as a driver or a kernel timer would.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <threadsafe.h>
#include <time.h>

struct values {
  double a;
  double b;
  double sum;
};

static const threadsafe_field fields[] = {
    THREADSAFE_FIELD(struct values, a, THREADSAFE_FLOAT64),
    THREADSAFE_FIELD(struct values, b, THREADSAFE_FLOAT64),
    THREADSAFE_FIELD(struct values, sum, THREADSAFE_FLOAT64),
};

/* Written before the first signal and after the last one, and only read in between. */
static threadsafe_record *record;
static threadsafe_lock *lock;
static double *pool;
static size_t pool_length;
static napi_ref pool_memory;
static struct sigaction before;
static pthread_t loop, ticker;
static struct timespec interval;

static atomic_bool running;
static atomic_uint writes, skipped;

/* Strikes the loop's thread between any two instructions, even inside a read of the record. */
static void on_signal(int signo) {
  (void)signo;
  const double number = (double)atomic_load(&writes) + 1;
  threadsafe_status status = THREADSAFE_BUSY;
  if (record) {
    const struct values values = {number, 2 * number, 3 * number};
    status = threadsafe_record_write(record, &values, sizeof values, NULL, 0, NULL);
  } else {
    bool held = true;
    if (threadsafe_lock_is_held(lock, &held) == THREADSAFE_OK && !held) {
      for (size_t k = 0; k < pool_length; k++) pool[k] = number;
      status = THREADSAFE_OK;
    }
  }
  atomic_fetch_add(status == THREADSAFE_OK ? &writes : &skipped, 1);
}

static void *tick(void *unused) {
  (void)unused;
  while (atomic_load(&running)) {
    nanosleep(&interval, NULL);
    pthread_kill(loop, SIGUSR2);
  }
  return NULL;
}

static void start(double microseconds) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  sigaction(SIGUSR2, &action, &before);
  interval.tv_sec = 0;
  interval.tv_nsec = (long)(microseconds * 1000);
  loop = pthread_self();
  atomic_store(&writes, 0);
  atomic_store(&skipped, 0);
  atomic_store(&running, true);
  pthread_create(&ticker, NULL, tick, NULL);
}

/* No signal arrives after the thread that sends them has ended, so the handles are then unused. */
static void end(void *unused) {
  (void)unused;
  if (!atomic_exchange(&running, false)) return;
  pthread_join(ticker, NULL);
  sigaction(SIGUSR2, &before, NULL);
  if (record) threadsafe_record_close(record);
  if (lock) threadsafe_lock_close(lock);
  record = NULL;
  lock = NULL;
}

static double number_in(napi_env env, napi_value value) {
  double number = 0;
  napi_get_value_double(env, value, &number);
  return number;
}

static napi_value refused(napi_env env, threadsafe_status status) {
  napi_throw_type_error(env, NULL, threadsafe_status_text(status));
  return NULL;
}

/* (record.native, microseconds) */
static napi_value start_record(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2];
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  const threadsafe_status status = threadsafe_record_open(env, given[0], sizeof(struct values), fields, 3, &record);
  if (status != THREADSAFE_OK) return refused(env, status);
  start(number_in(env, given[1]));
  return NULL;
}

/* (lock.native, Float64Array over shared memory, microseconds) */
static napi_value start_looking(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value given[3];
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  const threadsafe_status status = threadsafe_lock_open(env, given[0], &lock);
  if (status != THREADSAFE_OK) return refused(env, status);
  napi_get_typedarray_info(env, given[1], NULL, &pool_length, (void **)&pool, NULL, NULL);
  napi_create_reference(env, given[1], 1, &pool_memory); /* it stays while the handler writes */
  start(number_in(env, given[2]));
  return NULL;
}

/* (): { writes, skipped } */
static napi_value stop(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result, number;
  end(NULL);
  if (pool_memory) napi_delete_reference(env, pool_memory);
  pool_memory = NULL;
  napi_create_object(env, &result);
  napi_create_uint32(env, atomic_load(&writes), &number);
  napi_set_named_property(env, result, "writes", number);
  napi_create_uint32(env, atomic_load(&skipped), &number);
  napi_set_named_property(env, result, "skipped", number);
  return result;
}

static void export_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}

NAPI_MODULE_INIT() {
  export_function(env, exports, "startRecord", start_record);
  export_function(env, exports, "startLooking", start_looking);
  export_function(env, exports, "stop", stop);
  napi_add_env_cleanup_hook(env, end, NULL); /* the isolate ends while the handler is in place */
  return exports;
}
