/* A signal handler of the addon's own, which puts into a queue of float64 and sets an event. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "addon.h"

static threadsafe_queue *_Atomic target;
static threadsafe_event *_Atomic flag;
static struct sigaction before;
static _Atomic bool tries; /* it uses try_put rather than put_or_drop */
static _Atomic uint64_t calls;
static _Atomic uint64_t results[THREADSAFE_FAILED + 1]; /* by status */
static _Atomic uint64_t spoilt_errno;

static void on_signal(int signo) {
  (void)signo;
  errno = 12345;
  const double call = (double)atomic_fetch_add(&calls, 1);
  threadsafe_queue *const queue = atomic_load(&target);
  threadsafe_event *const event = atomic_load(&flag);
  if (queue) {
    const threadsafe_status status =
        tries ? threadsafe_try_put(queue, &call, sizeof call) : threadsafe_put_or_drop(queue, &call, sizeof call);
    atomic_fetch_add(&results[status], 1);
  }
  if (event) threadsafe_event_set(event);
  if (errno != 12345) atomic_fetch_add(&spoilt_errno, 1);
}

/* (signo, queue.native or undefined, event.native or undefined, whether it uses try_put): a status */
static napi_value handle_signal(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  threadsafe_queue *queue = NULL;
  threadsafe_event *event = NULL;
  threadsafe_status status = THREADSAFE_OK;
  napi_valuetype type;
  napi_typeof(env, given.at[1], &type);
  if (type == napi_object) status = threadsafe_queue_open(env, given.at[1], THREADSAFE_FLOAT64, sizeof(double), &queue);
  napi_typeof(env, given.at[2], &type);
  if (type == napi_object && status == THREADSAFE_OK) status = threadsafe_event_open(env, given.at[2], &event);
  if (status != THREADSAFE_OK) return new_number(env, status);
  calls = 0;
  spoilt_errno = 0;
  for (int k = 0; k <= THREADSAFE_FAILED; k++) results[k] = 0;
  tries = number_in(env, given.at[3]) != 0;
  target = queue;
  flag = event;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction((int)number_in(env, given.at[0]), &action, &before);
  return new_number(env, THREADSAFE_OK);
}

/* (signo): what the handler did. Only when no handler runs any more. */
static napi_value restore_signal(napi_env env, napi_callback_info info) {
  sigaction((int)number_in(env, arguments_of(env, info).at[0]), &before, NULL);
  if (target) threadsafe_queue_close(target);
  if (flag) threadsafe_event_close(flag);
  target = NULL;
  flag = NULL;
  return NULL;
}

/* (): how often the handler ran, with which results */
static napi_value handled(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_object(env, &result);
  set_number(env, result, "calls", (double)calls);
  set_number(env, result, "ok", (double)results[THREADSAFE_OK]);
  set_number(env, result, "full", (double)results[THREADSAFE_FULL]);
  set_number(env, result, "dropped", (double)results[THREADSAFE_DROPPED]);
  set_number(env, result, "closed", (double)results[THREADSAFE_CLOSED]);
  set_number(env, result, "spoiltErrno", (double)spoilt_errno);
  return result;
}

/* (signo): strikes this thread, which is inside raise() when it returns */
static napi_value raise_signal(napi_env env, napi_callback_info info) {
  raise((int)number_in(env, arguments_of(env, info).at[0]));
  return NULL;
}

/* Handlers that pass signals on to whoever was there before them, each in its own way. */
#define CHAINING 4

static struct sigaction chained_before[CHAINING];
static _Atomic uint64_t chained_calls[CHAINING];

static void pass_on(int number, int signo, siginfo_t *info, void *context) {
  const struct sigaction *action = &chained_before[number];
  if (action->sa_flags & SA_SIGINFO) {
    action->sa_sigaction(signo, info, context);
  } else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
    action->sa_handler(signo);
  }
}

static void chaining_last(int signo, siginfo_t *info, void *context) {
  atomic_fetch_add(&chained_calls[0], 1);
  pass_on(0, signo, info, context);
}

static void chaining_first(int signo, siginfo_t *info, void *context) {
  pass_on(1, signo, info, context);
  atomic_fetch_add(&chained_calls[1], 1);
}

static void chaining_a_copy(int signo, siginfo_t *info, void *context) {
  siginfo_t copy = *info;
  atomic_fetch_add(&chained_calls[2], 1);
  pass_on(2, signo, &copy, context);
}

static void chaining_another(int signo, siginfo_t *info, void *context) {
  siginfo_t another;
  (void)info;
  memset(&another, 0, sizeof another);
  another.si_signo = signo;
  atomic_fetch_add(&chained_calls[3], 1);
  pass_on(3, signo, &another, context);
}

/* (number, signo) */
static napi_value chain_signal(napi_env env, napi_callback_info info) {
  static void (*const handlers[CHAINING])(int, siginfo_t *, void *) = {chaining_last, chaining_first, chaining_a_copy, chaining_another};
  const struct arguments given = arguments_of(env, info);
  const int number = (int)number_in(env, given.at[0]);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handlers[number];
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  if (number == 1) sigfillset(&action.sa_mask);
  sigaction((int)number_in(env, given.at[1]), &action, &chained_before[number]);
  return NULL;
}

/* (number): how often that one was called */
static napi_value chained(napi_env env, napi_callback_info info) {
  return new_number(env, (double)chained_calls[(int)number_in(env, arguments_of(env, info).at[0])]);
}

/* (signo): 'default', 'ignored' or 'handled' */
static napi_value disposition(napi_env env, napi_callback_info info) {
  struct sigaction action;
  sigaction((int)number_in(env, arguments_of(env, info).at[0]), NULL, &action);
  const char *const text = action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "handled";
  napi_value result;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

/* (signo, 'default' or 'ignored' by 0 or 1) */
static napi_value set_disposition(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  signal((int)number_in(env, given.at[0]), number_in(env, given.at[1]) != 0 ? SIG_IGN : SIG_DFL);
  return NULL;
}

void export_signals(napi_env env, napi_value exports) {
  export_function(env, exports, "handleSignal", handle_signal);
  export_function(env, exports, "restoreSignal", restore_signal);
  export_function(env, exports, "handled", handled);
  export_function(env, exports, "raiseSignal", raise_signal);
  export_function(env, exports, "chainSignal", chain_signal);
  export_function(env, exports, "chained", chained);
  export_function(env, exports, "disposition", disposition);
  export_function(env, exports, "setDisposition", set_disposition);
}
