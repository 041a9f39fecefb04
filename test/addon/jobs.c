/* Native threads that produce, consume and wait. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "addon.h"

struct job {
  threadsafe_queue *queue;
  threadsafe_event *event;
  void (*work)(struct job *job);
  pthread_t thread;
  bool detached;
  double most; /* items */
  _Atomic double items;
  _Atomic double sum;
  _Atomic double cpu_milliseconds;
  _Atomic int status;
  _Atomic bool done;
};

/* Over all isolates: detached jobs outlive the one that started them. */
static _Atomic int detached_running;
static _Atomic int detached_ended[THREADSAFE_FAILED + 1]; /* by their last status */

static void produce(struct job *job) {
  threadsafe_status status = THREADSAFE_OK;
  double item = 0;
  for (; item < job->most && status == THREADSAFE_OK; item++) {
    status = threadsafe_put(job->queue, &item, sizeof item, THREADSAFE_FOREVER);
    if (status == THREADSAFE_OK) atomic_store_explicit(&job->items, item + 1, memory_order_relaxed);
  }
  job->status = status;
}

static void consume(struct job *job) {
  threadsafe_status status = THREADSAFE_OK;
  double items = 0, sum = 0, item;
  while (items < job->most && status == THREADSAFE_OK) {
    status = threadsafe_get(job->queue, &item, sizeof item, NULL, THREADSAFE_FOREVER);
    if (status != THREADSAFE_OK) break;
    items++;
    sum += item;
    atomic_store_explicit(&job->items, items, memory_order_relaxed);
    atomic_store_explicit(&job->sum, sum, memory_order_relaxed);
  }
  job->status = status;
}

/* As fast as it goes, never waiting: what a driver's thread may do. */
static void produce_without_waiting(struct job *job) {
  threadsafe_status status = THREADSAFE_OK;
  double item = 0;
  while (item < job->most && status != THREADSAFE_CLOSED) {
    status = threadsafe_try_put(job->queue, &item, sizeof item);
    if (status != THREADSAFE_OK) {
      sched_yield();
      continue;
    }
    item++;
    atomic_store_explicit(&job->items, item, memory_order_relaxed);
  }
  job->status = status;
}

static void consume_without_waiting(struct job *job) {
  threadsafe_status status = THREADSAFE_OK;
  double items = 0, item;
  while (items < job->most && status != THREADSAFE_CLOSED) {
    status = threadsafe_try_get(job->queue, &item, sizeof item, NULL);
    if (status != THREADSAFE_OK) {
      sched_yield();
      continue;
    }
    items++;
    atomic_store_explicit(&job->items, items, memory_order_relaxed);
  }
  job->status = status;
}

static void wait_for_event(struct job *job) { job->status = threadsafe_event_wait(job->event, THREADSAFE_FOREVER); }

static void set_and_clear(struct job *job) {
  threadsafe_status status = THREADSAFE_OK;
  while (status == THREADSAFE_OK) {
    status = threadsafe_event_set(job->event);
    if (status == THREADSAFE_OK) status = threadsafe_event_clear(job->event);
  }
  job->status = status;
}

static void *run(void *data) {
  struct job *const job = data;
  job->work(job);
  struct timespec cpu;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  job->cpu_milliseconds = (double)cpu.tv_sec * 1e3 + (double)cpu.tv_nsec / 1e6;
  if (!job->detached) {
    job->done = true;
    return NULL;
  }
  if (job->queue) threadsafe_queue_close(job->queue);
  if (job->event) threadsafe_event_close(job->event);
  atomic_fetch_add(&detached_ended[job->status], 1);
  free(job);
  atomic_fetch_sub(&detached_running, 1);
  return NULL;
}

static const struct {
  const char *name;
  void (*work)(struct job *job);
  bool of_event;
} works[] = {
    {"produce", produce, false},
    {"consume", consume, false},
    {"produce without waiting", produce_without_waiting, false},
    {"consume without waiting", consume_without_waiting, false},
    {"wait", wait_for_event, true},
    {"set and clear", set_and_clear, true},
};

/* (what it does, queue.native or event.native, how many items, whether it is detached): the job, or a status. It opens a handle of its own.
 */
static napi_value start(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  char name[32];
  napi_get_value_string_utf8(env, given.at[0], name, sizeof name, NULL);
  size_t k = 0;
  while (strcmp(works[k].name, name) != 0) k++;
  struct job *const job = calloc(1, sizeof *job);
  job->work = works[k].work;
  job->most = number_in(env, given.at[2]);
  job->detached = number_in(env, given.at[3]) != 0;
  const threadsafe_status status = works[k].of_event
                                       ? threadsafe_event_open(env, given.at[1], &job->event)
                                       : threadsafe_queue_open(env, given.at[1], THREADSAFE_FLOAT64, sizeof(double), &job->queue);
  if (status != THREADSAFE_OK) {
    free(job);
    return new_number(env, status);
  }
  if (job->detached) atomic_fetch_add(&detached_running, 1);
  const bool detached = job->detached;
  pthread_t thread;
  pthread_create(&thread, NULL, run, job);
  if (detached) {
    pthread_detach(thread);
    return new_number(env, THREADSAFE_OK);
  }
  job->thread = thread;
  return new_external(env, job);
}

/* (job): how far it is */
static napi_value look(napi_env env, napi_callback_info info) {
  const struct job *const job = external_in(env, arguments_of(env, info).at[0]);
  napi_value result;
  napi_create_object(env, &result);
  set_number(env, result, "done", job->done);
  set_number(env, result, "status", job->status);
  set_number(env, result, "items", job->items);
  set_number(env, result, "sum", job->sum);
  set_number(env, result, "cpuMilliseconds", job->cpu_milliseconds);
  return result;
}

/* (job): its handle answers CLOSED from now on */
static napi_value cancel(napi_env env, napi_callback_info info) {
  const struct job *const job = external_in(env, arguments_of(env, info).at[0]);
  return new_number(env, job->queue ? threadsafe_queue_cancel(job->queue) : threadsafe_event_cancel(job->event));
}

/* (job): the end of a job that is done */
static napi_value finish(napi_env env, napi_callback_info info) {
  struct job *const job = external_in(env, arguments_of(env, info).at[0]);
  pthread_join(job->thread, NULL);
  if (job->queue) threadsafe_queue_close(job->queue);
  if (job->event) threadsafe_event_close(job->event);
  free(job);
  return NULL;
}

/* (job, signo, times): sends its thread that signal, one after the other as quickly as they are taken */
static napi_value strike(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  const struct job *const job = external_in(env, given.at[0]);
  const int signo = (int)number_in(env, given.at[1]);
  for (double left = number_in(env, given.at[2]); left > 0 && !job->done; left--) pthread_kill(job->thread, signo);
  return NULL;
}

/* (): of the detached jobs, how many run, how many ended with CLOSED, and how many otherwise */
static napi_value detached_jobs(napi_env env, napi_callback_info info) {
  (void)info;
  int otherwise = 0;
  for (int status = 0; status <= THREADSAFE_FAILED; status++) otherwise += status == THREADSAFE_CLOSED ? 0 : detached_ended[status];
  napi_value result;
  napi_create_object(env, &result);
  set_number(env, result, "running", detached_running);
  set_number(env, result, "closed", detached_ended[THREADSAFE_CLOSED]);
  set_number(env, result, "otherwise", otherwise);
  return result;
}

void export_jobs(napi_env env, napi_value exports) {
  export_function(env, exports, "start", start);
  export_function(env, exports, "look", look);
  export_function(env, exports, "cancel", cancel);
  export_function(env, exports, "finish", finish);
  export_function(env, exports, "strike", strike);
  export_function(env, exports, "detachedJobs", detached_jobs);
}
