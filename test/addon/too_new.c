#define THREADSAFE_ABI_VERSION 1000
#include "addon.h"

threadsafe_status open_with_newer_header(napi_env env, napi_value value) {
  threadsafe_queue *queue;
  return threadsafe_queue_open(env, value, THREADSAFE_FLOAT64, sizeof(double), &queue);
}
