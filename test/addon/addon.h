/* The second addon: native code as a producer and a consumer, in plain C against threadsafe.h alone. */
#pragma once

#include <threadsafe.h>

/* The fields of record({ x: 'float64', n: 'int32', on: 'boolean', t: 'biguint64' }). */
struct point {
  double x;
  int32_t n;
  uint8_t on;
  uint64_t t;
};

extern const threadsafe_field point_fields[4];

struct arguments {
  size_t count;
  napi_value at[5];
};

struct arguments arguments_of(napi_env env, napi_callback_info info);
double number_in(napi_env env, napi_value value);
void *external_in(napi_env env, napi_value value);
napi_value new_number(napi_env env, double number);
napi_value new_external(napi_env env, void *data);
void set_number(napi_env env, napi_value object, const char *name, double number);
void export_function(napi_env env, napi_value exports, const char *name, napi_callback function);

void export_jobs(napi_env env, napi_value exports);
void export_signals(napi_env env, napi_value exports);

/* Compiled against a version of the header that does not exist yet. */
threadsafe_status open_with_newer_header(napi_env env, napi_value value);
