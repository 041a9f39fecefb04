/* Calls from JavaScript, one for each function of the header: a handle is an external value, and a status is answered as its number. */
#include "addon.h"

#include <string.h>

const threadsafe_field point_fields[4] = {
    THREADSAFE_FIELD(struct point, x, THREADSAFE_FLOAT64),
    THREADSAFE_FIELD(struct point, n, THREADSAFE_INT32),
    THREADSAFE_FIELD(struct point, on, THREADSAFE_BOOLEAN),
    THREADSAFE_FIELD(struct point, t, THREADSAFE_BIGUINT64),
};

struct arguments arguments_of(napi_env env, napi_callback_info info) {
  struct arguments arguments = {5, {NULL}};
  napi_get_cb_info(env, info, &arguments.count, arguments.at, NULL, NULL);
  return arguments;
}

double number_in(napi_env env, napi_value value) {
  double number = 0;
  napi_get_value_double(env, value, &number);
  return number;
}

void *external_in(napi_env env, napi_value value) {
  void *data = NULL;
  napi_get_value_external(env, value, &data);
  return data;
}

napi_value new_number(napi_env env, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  return value;
}

napi_value new_external(napi_env env, void *data) {
  napi_value value;
  napi_create_external(env, data, NULL, NULL, &value);
  return value;
}

void set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_set_named_property(env, object, name, new_number(env, number));
}

void export_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}

/* The handle, or the status that says why there is none. */
static napi_value opened(napi_env env, threadsafe_status status, void *handle) {
  return status == THREADSAFE_OK ? new_external(env, handle) : new_number(env, status);
}

/* (queue.native, type, size of an item) */
static napi_value open_queue(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  threadsafe_queue *queue = NULL;
  const threadsafe_type type = (threadsafe_type)number_in(env, given.at[1]);
  const threadsafe_status status = threadsafe_queue_open(env, given.at[0], type, (size_t)number_in(env, given.at[2]), &queue);
  return opened(env, status, queue);
}

/* (queue.native, number of fields): a queue of points, of which only so many fields are told. */
static napi_value open_points(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  threadsafe_queue *queue = NULL;
  const size_t fields = (size_t)number_in(env, given.at[1]);
  const threadsafe_status status = threadsafe_record_queue_open(env, given.at[0], sizeof(struct point), point_fields, fields, &queue);
  return opened(env, status, queue);
}

/* (event.native) */
static napi_value open_event(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  threadsafe_event *event = NULL;
  const threadsafe_status status = threadsafe_event_open(env, given.at[0], &event);
  return opened(env, status, event);
}

/* (queue.native) */
static napi_value open_too_new(napi_env env, napi_callback_info info) {
  return new_number(env, open_with_newer_header(env, arguments_of(env, info).at[0]));
}

static napi_value queue_cancel(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_queue_cancel(external_in(env, arguments_of(env, info).at[0])));
}

static napi_value queue_close(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_queue_close(external_in(env, arguments_of(env, info).at[0])));
}

static napi_value queue_end(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_queue_end(external_in(env, arguments_of(env, info).at[0])));
}

/* (queue of float64, number) */
static napi_value try_put(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  const double item = number_in(env, given.at[1]);
  return new_number(env, threadsafe_try_put(external_in(env, given.at[0]), &item, sizeof item));
}

/* (queue of float64, number) */
static napi_value put_or_drop(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  const double item = number_in(env, given.at[1]);
  return new_number(env, threadsafe_put_or_drop(external_in(env, given.at[0]), &item, sizeof item));
}

/* (queue of float64, number, milliseconds) */
static napi_value put(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  const double item = number_in(env, given.at[1]);
  return new_number(env, threadsafe_put(external_in(env, given.at[0]), &item, sizeof item, number_in(env, given.at[2])));
}

static napi_value got(napi_env env, threadsafe_status status, napi_value item) {
  napi_value result;
  napi_create_object(env, &result);
  set_number(env, result, "status", status);
  if (status == THREADSAFE_OK) napi_set_named_property(env, result, "item", item);
  return result;
}

/* (queue of float64): { status, item } */
static napi_value try_get(napi_env env, napi_callback_info info) {
  double item = 0;
  const threadsafe_status status = threadsafe_try_get(external_in(env, arguments_of(env, info).at[0]), &item, sizeof item, NULL);
  return got(env, status, new_number(env, item));
}

/* (queue of float64, milliseconds): { status, item } */
static napi_value get(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  double item = 0;
  const threadsafe_status status = threadsafe_get(external_in(env, given.at[0]), &item, sizeof item, NULL, number_in(env, given.at[1]));
  return got(env, status, new_number(env, item));
}

/* (queue of anything, item as a Uint8Array, milliseconds; -1: it tries once, by try_put) */
static napi_value put_raw(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  size_t bytes = 0;
  void *data = NULL;
  napi_get_typedarray_info(env, given.at[1], NULL, &bytes, &data, NULL, NULL);
  threadsafe_queue *const queue = external_in(env, given.at[0]);
  const double milliseconds = number_in(env, given.at[2]);
  return new_number(env, milliseconds < 0 ? threadsafe_try_put(queue, data, bytes) : threadsafe_put(queue, data, bytes, milliseconds));
}

/* (queue of anything, buffer): { status, bytes }, and the item in the buffer */
static napi_value get_raw(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  size_t bytes = 0, item_bytes = 0;
  void *data = NULL;
  napi_get_typedarray_info(env, given.at[1], NULL, &bytes, &data, NULL, NULL);
  const threadsafe_status status = threadsafe_try_get(external_in(env, given.at[0]), data, bytes, &item_bytes);
  napi_value result;
  napi_create_object(env, &result);
  set_number(env, result, "status", status);
  set_number(env, result, "bytes", (double)item_bytes);
  return result;
}

/* (queue of points, x, n, on, t) */
static napi_value put_point(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  struct point point;
  memset(&point, 0, sizeof point);
  point.x = number_in(env, given.at[1]);
  point.n = (int32_t)number_in(env, given.at[2]);
  point.on = number_in(env, given.at[3]) != 0;
  point.t = (uint64_t)number_in(env, given.at[4]);
  return new_number(env, threadsafe_try_put(external_in(env, given.at[0]), &point, sizeof point));
}

/* (queue of points): { status, x, n, on, t } */
static napi_value get_point(napi_env env, napi_callback_info info) {
  struct point point;
  memset(&point, 0, sizeof point);
  const threadsafe_status status = threadsafe_try_get(external_in(env, arguments_of(env, info).at[0]), &point, sizeof point, NULL);
  napi_value result;
  napi_create_object(env, &result);
  set_number(env, result, "status", status);
  set_number(env, result, "x", point.x);
  set_number(env, result, "n", point.n);
  set_number(env, result, "on", point.on);
  set_number(env, result, "t", (double)point.t);
  return result;
}

static napi_value event_cancel(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_event_cancel(external_in(env, arguments_of(env, info).at[0])));
}

static napi_value event_close(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_event_close(external_in(env, arguments_of(env, info).at[0])));
}

static napi_value event_set(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_event_set(external_in(env, arguments_of(env, info).at[0])));
}

static napi_value event_clear(napi_env env, napi_callback_info info) {
  return new_number(env, threadsafe_event_clear(external_in(env, arguments_of(env, info).at[0])));
}

/* (event): 1 if it is set, 0 if not, or the negative status */
static napi_value event_is_set(napi_env env, napi_callback_info info) {
  bool set = true;
  const threadsafe_status status = threadsafe_event_is_set(external_in(env, arguments_of(env, info).at[0]), &set);
  return new_number(env, status == THREADSAFE_OK ? set : -(double)status);
}

/* (event, milliseconds) */
static napi_value event_wait(napi_env env, napi_callback_info info) {
  const struct arguments given = arguments_of(env, info);
  return new_number(env, threadsafe_event_wait(external_in(env, given.at[0]), number_in(env, given.at[1])));
}

/* (status) */
static napi_value status_text(napi_env env, napi_callback_info info) {
  napi_value text;
  const threadsafe_status status = (threadsafe_status)number_in(env, arguments_of(env, info).at[0]);
  napi_create_string_utf8(env, threadsafe_status_text(status), NAPI_AUTO_LENGTH, &text);
  return text;
}

NAPI_MODULE_INIT() {
  export_function(env, exports, "openQueue", open_queue);
  export_function(env, exports, "openPoints", open_points);
  export_function(env, exports, "openEvent", open_event);
  export_function(env, exports, "openTooNew", open_too_new);
  export_function(env, exports, "queueCancel", queue_cancel);
  export_function(env, exports, "queueClose", queue_close);
  export_function(env, exports, "queueEnd", queue_end);
  export_function(env, exports, "tryPut", try_put);
  export_function(env, exports, "putOrDrop", put_or_drop);
  export_function(env, exports, "put", put);
  export_function(env, exports, "tryGet", try_get);
  export_function(env, exports, "get", get);
  export_function(env, exports, "putRaw", put_raw);
  export_function(env, exports, "getRaw", get_raw);
  export_function(env, exports, "putPoint", put_point);
  export_function(env, exports, "getPoint", get_point);
  export_function(env, exports, "eventCancel", event_cancel);
  export_function(env, exports, "eventClose", event_close);
  export_function(env, exports, "eventSet", event_set);
  export_function(env, exports, "eventClear", event_clear);
  export_function(env, exports, "eventIsSet", event_is_set);
  export_function(env, exports, "eventWait", event_wait);
  export_function(env, exports, "statusText", status_text);
  export_jobs(env, exports);
  export_signals(env, exports);
  return exports;
}
