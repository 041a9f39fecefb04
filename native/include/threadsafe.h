/*
 * threadsafe.h: queues, events, records, messages, locks and pools of buffers of the npm package `threadsafe`, for native code. C99 and
 * C++.
 *
 * An addon gets `queue.native`, or the `native` of another object, from JavaScript and opens it on
 * that thread. From then on any thread of the process may use the handle, and so may a signal
 * handler. Nothing is linked: the JavaScript value leads to the functions that this header calls.
 * `includeDir`, exported by the package, names the directory of this file; docs/native.md has a
 * complete addon.
 *
 *     threadsafe_queue *samples;
 *     if (threadsafe_queue_open(env, argv[0], THREADSAFE_FLOAT64, sizeof(double), &samples) != THREADSAFE_OK) ...
 *
 *     double sample = read_sensor();                                           // then, in a thread:
 *     if (threadsafe_put(samples, &sample, sizeof sample, THREADSAFE_FOREVER) == THREADSAFE_CLOSED) return;
 *
 * Every function returns a status; none throws. Times are milliseconds. Only functions marked
 * [signal-safe] may be called in a signal handler, whatever it has interrupted: they take no lock,
 * allocate nothing, never wait, and leave errno as it was.
 *
 * The life of a handle. It is valid from open to close, like memory from malloc(). It stays valid
 * when the isolate that opened it ends (its worker is terminated, the process exits), and after
 * cancel. But then every call returns THREADSAFE_CLOSED, also those that wait at that moment. To
 * stop a thread of yours that may be waiting: cancel, join the thread, close.
 *
 * Versions. The library's functions are in a table that only ever grows at its end, so an addon
 * works with every later version of the package. An addon that needs a later version than it finds
 * gets THREADSAFE_TOO_OLD when it opens something. To work with older versions as well, define
 * THREADSAFE_ABI_VERSION as the version that you need before you include this file.
 */
#ifndef THREADSAFE_H
#define THREADSAFE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(NAPI_VERSION) || NAPI_VERSION < 8
#error "threadsafe.h needs Node-API 8: define NAPI_VERSION as 8 or more before node_api.h is included"
#endif

#define THREADSAFE_NEWEST_ABI_VERSION 2
#ifndef THREADSAFE_ABI_VERSION
#define THREADSAFE_ABI_VERSION THREADSAFE_NEWEST_ABI_VERSION
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum threadsafe_status {
  THREADSAFE_OK = 0,
  THREADSAFE_EMPTY = 1,         /* try_get: there is no item now */
  THREADSAFE_FULL = 2,          /* try_put: there is no room now */
  THREADSAFE_CLOSED = 3,        /* the queue is closed (get: and drained), or the handle's isolate has ended, or it was cancelled */
  THREADSAFE_TIMEOUT = 4,       /* the time was over first */
  THREADSAFE_TOO_SMALL = 6,     /* get: the buffer does not hold the next item */
  THREADSAFE_DROPPED = 7,       /* put: the item was dropped, and counted in stats().dropped */
  THREADSAFE_TOO_LARGE = 8,     /* put: larger than the whole queue; message_set: than its maxBytes */
  THREADSAFE_WRONG_SIZE = 9,    /* an item of this queue, the record or the message has another size */
  THREADSAFE_WRONG_TYPE = 10,   /* open: the queue holds something else */
  THREADSAFE_WRONG_LAYOUT = 11, /* open: its records have other fields */
  THREADSAFE_WRONG_KIND = 12,   /* open: the `native` of another kind of object, or none */
  THREADSAFE_TOO_OLD = 13,      /* open: the package is older than this addon needs */
  THREADSAFE_FAILED = 14,       /* open: the system refused memory or a thread, or the isolate is being stopped */
  THREADSAFE_DAMAGED = 15,      /* something in the process has written over the object's memory */
  THREADSAFE_BUSY = 16,         /* record, message: others have written each of the 256 times that this tried */
  THREADSAFE_ENDED = 17         /* pool: the lease has ended; or the token was taken, or is of another pool */
} threadsafe_status;

/*
 * Types of items: the queue's `type` in JavaScript, and the type of an item in C. Queues of 'any'
 * and 'string' can't be opened: their encodings are the package's own.
 */
typedef enum threadsafe_type {
  THREADSAFE_BYTES = 2,      /* bytes of any length */
  THREADSAFE_BOOLEAN = 3,    /* uint8_t, 0 or 1 */
  THREADSAFE_INT8 = 4,       /* int8_t */
  THREADSAFE_UINT8 = 5,      /* uint8_t */
  THREADSAFE_INT16 = 6,      /* int16_t */
  THREADSAFE_UINT16 = 7,     /* uint16_t */
  THREADSAFE_INT32 = 8,      /* int32_t */
  THREADSAFE_UINT32 = 9,     /* uint32_t */
  THREADSAFE_BIGINT64 = 10,  /* int64_t */
  THREADSAFE_BIGUINT64 = 11, /* uint64_t */
  THREADSAFE_FLOAT32 = 12,   /* float */
  THREADSAFE_FLOAT64 = 13,   /* double */
  THREADSAFE_RECORD = 14,    /* a struct of the above, and arrays of them: threadsafe_record_queue_open() */
  THREADSAFE_ARRAY = 15      /* 'float64[128]': so many elements, one after the other */
} threadsafe_type;

/* A field of a record. */
typedef struct threadsafe_field {
  const char *name;     /* as record({ name: ... }) names it; UTF-8 */
  threadsafe_type type; /* of an array: its elements'; THREADSAFE_BYTES for 'bytes[16]' */
  size_t offset;
  size_t bytes; /* that it takes, all elements of an array */
} threadsafe_field;

/* The field of a struct that has the same name: THREADSAFE_FIELD(struct sample, x, THREADSAFE_FLOAT64). */
#define THREADSAFE_FIELD(structure, member, type) {#member, type, offsetof(structure, member), sizeof(((structure *)0)->member)}

/*
 * Makes a call wait until something happens, without a time limit. Any negative number of
 * milliseconds does.
 */
#define THREADSAFE_FOREVER (-1.0)

/* Handles. The memory behind the table is the library's. */
typedef struct threadsafe_queue {
  const struct threadsafe_table *table;
} threadsafe_queue;

typedef struct threadsafe_event {
  const struct threadsafe_table *table;
} threadsafe_event;

typedef struct threadsafe_record {
  const struct threadsafe_table *table;
} threadsafe_record;

typedef struct threadsafe_message {
  const struct threadsafe_table *table;
} threadsafe_message;

/* A part of a record: `bytes` bytes from `offset` on. */
typedef struct threadsafe_range {
  size_t offset;
  size_t bytes;
} threadsafe_range;

/* The range that a member of a struct takes: THREADSAFE_RANGE(struct position, x). */
#define THREADSAFE_RANGE(structure, member) {offsetof(structure, member), sizeof(((structure *)0)->member)}

typedef struct threadsafe_lock {
  const struct threadsafe_table *table;
} threadsafe_lock;

typedef struct threadsafe_pool {
  const struct threadsafe_table *table;
} threadsafe_pool;

/* The object that `queue.native` and its like wrap, and the tag by which they are known. */
typedef struct threadsafe_native {
  const struct threadsafe_table *table;
} threadsafe_native;

#define THREADSAFE_TYPE_TAG {0x7468726561647361u, 0x8f1d5f0c3b7a4e92u}

/* The library's functions. Call the functions below, which find this table. */
typedef struct threadsafe_table {
  uint32_t version; /* the latest ABI version that the library knows */
  uint32_t bytes;   /* of this table */
  /* Since version 1. */
  threadsafe_status (*queue_open)(const threadsafe_native *object, threadsafe_type type, size_t item_bytes, const threadsafe_field *fields,
                                  size_t field_count, threadsafe_queue **queue);
  threadsafe_status (*queue_cancel)(threadsafe_queue *queue);
  threadsafe_status (*queue_close)(threadsafe_queue *queue);
  threadsafe_status (*queue_end)(threadsafe_queue *queue);
  threadsafe_status (*try_put)(threadsafe_queue *queue, const void *item, size_t bytes);
  threadsafe_status (*put_or_drop)(threadsafe_queue *queue, const void *item, size_t bytes);
  threadsafe_status (*put)(threadsafe_queue *queue, const void *item, size_t bytes, double milliseconds);
  threadsafe_status (*try_get)(threadsafe_queue *queue, void *item, size_t bytes, size_t *item_bytes);
  threadsafe_status (*get)(threadsafe_queue *queue, void *item, size_t bytes, size_t *item_bytes, double milliseconds);
  threadsafe_status (*event_open)(const threadsafe_native *object, threadsafe_event **event);
  threadsafe_status (*event_cancel)(threadsafe_event *event);
  threadsafe_status (*event_close)(threadsafe_event *event);
  threadsafe_status (*event_set)(threadsafe_event *event);
  threadsafe_status (*event_clear)(threadsafe_event *event);
  threadsafe_status (*event_is_set)(threadsafe_event *event, bool *set);
  threadsafe_status (*event_wait)(threadsafe_event *event, double milliseconds);
  /* Since version 2. */
  threadsafe_status (*record_open)(const threadsafe_native *object, size_t bytes, const threadsafe_field *fields, size_t field_count,
                                   threadsafe_record **record);
  threadsafe_status (*record_cancel)(threadsafe_record *record);
  threadsafe_status (*record_close)(threadsafe_record *record);
  threadsafe_status (*record_read)(threadsafe_record *record, void *value, size_t bytes, uint64_t *version);
  threadsafe_status (*record_write)(threadsafe_record *record, const void *value, size_t bytes, const threadsafe_range *ranges,
                                    size_t range_count, uint64_t *version);
  threadsafe_status (*record_wait)(threadsafe_record *record, uint64_t since, double milliseconds, uint64_t *version);
  threadsafe_status (*message_open)(const threadsafe_native *object, threadsafe_type type, size_t item_bytes,
                                    const threadsafe_field *fields, size_t field_count, threadsafe_message **message);
  threadsafe_status (*message_cancel)(threadsafe_message *message);
  threadsafe_status (*message_close)(threadsafe_message *message);
  threadsafe_status (*message_set)(threadsafe_message *message, const void *value, size_t bytes);
  threadsafe_status (*message_clear)(threadsafe_message *message);
  threadsafe_status (*lock_open)(const threadsafe_native *object, threadsafe_lock **lock);
  threadsafe_status (*lock_cancel)(threadsafe_lock *lock);
  threadsafe_status (*lock_close)(threadsafe_lock *lock);
  threadsafe_status (*lock_is_held)(threadsafe_lock *lock, bool *held);
  threadsafe_status (*pool_open)(const threadsafe_native *object, threadsafe_type type, size_t buffer_bytes, threadsafe_pool **pool);
  threadsafe_status (*pool_cancel)(threadsafe_pool *pool);
  threadsafe_status (*pool_close)(threadsafe_pool *pool);
  threadsafe_status (*pool_try_lend)(threadsafe_pool *pool, uint32_t *lease);
  threadsafe_status (*pool_lend)(threadsafe_pool *pool, uint32_t *lease, double milliseconds);
  threadsafe_status (*pool_data)(threadsafe_pool *pool, uint32_t lease, void **data);
  threadsafe_status (*pool_pass)(threadsafe_pool *pool, uint32_t lease, uint32_t *token);
  threadsafe_status (*pool_take)(threadsafe_pool *pool, uint32_t token, uint32_t *lease);
  threadsafe_status (*pool_release)(threadsafe_pool *pool, uint32_t lease);
} threadsafe_table;

/* -- Opening: only on the thread of the isolate that the value is of. -- */

/*
 * For the functions below: finds the object in that value, if it is of this package and has the
 * version that is needed. Node refuses to look into a value while terminate() stops the isolate.
 */
static inline threadsafe_status threadsafe_native_of(napi_env env, napi_value value, const threadsafe_native **object) {
  static const napi_type_tag tag = THREADSAFE_TYPE_TAG;
  napi_valuetype type;
  bool ours = false;
  void *data = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return THREADSAFE_WRONG_KIND;
  if (napi_check_object_type_tag(env, value, &tag, &ours) != napi_ok) return THREADSAFE_FAILED;
  if (!ours) return THREADSAFE_WRONG_KIND;
  if (napi_unwrap(env, value, &data) != napi_ok || data == NULL) return THREADSAFE_FAILED;
  *object = (const threadsafe_native *)data;
  return (*object)->table->version < THREADSAFE_ABI_VERSION ? THREADSAFE_TOO_OLD : THREADSAFE_OK;
}

/*
 * Opens a queue. The value is its `queue.native`. `item_bytes` is the size of an item in C; it is
 * ignored for THREADSAFE_BYTES, whose items have no fixed size. Opening a queue twice gives two
 * handles. Returns THREADSAFE_OK; _WRONG_KIND, _WRONG_TYPE or _WRONG_SIZE if it is not such a
 * queue; _TOO_OLD; _FAILED.
 *
 *     threadsafe_queue *samples;
 *     threadsafe_queue_open(env, argv[0], THREADSAFE_FLOAT64, sizeof(double), &samples);
 */
static inline threadsafe_status threadsafe_queue_open(napi_env env, napi_value value, threadsafe_type type, size_t item_bytes,
                                                      threadsafe_queue **queue) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->queue_open(object, type, item_bytes, NULL, 0, queue);
}

/*
 * Opens a queue of records. Describe all fields, in the order of record({ ... }). The struct has
 * them at the same offsets, as a C compiler lays it out. Returns what threadsafe_queue_open()
 * returns, and THREADSAFE_WRONG_LAYOUT if a field has another name, type, size or place, or if
 * there are more or fewer fields.
 *
 *     struct point { double x; uint64_t t; };                                  // record({ x: 'float64', t: 'biguint64' })
 *     static const threadsafe_field fields[] = {THREADSAFE_FIELD(struct point, x, THREADSAFE_FLOAT64),
 *                                               THREADSAFE_FIELD(struct point, t, THREADSAFE_BIGUINT64)};
 *     threadsafe_record_queue_open(env, argv[0], sizeof(struct point), fields, 2, &points);
 */
static inline threadsafe_status threadsafe_record_queue_open(napi_env env, napi_value value, size_t item_bytes,
                                                             const threadsafe_field *fields, size_t field_count, threadsafe_queue **queue) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->queue_open(object, THREADSAFE_RECORD, item_bytes, fields, field_count, queue);
}

/*
 * Opens an event. The value is its `event.native`. Returns THREADSAFE_OK, _WRONG_KIND, _TOO_OLD or
 * _FAILED.
 */
static inline threadsafe_status threadsafe_event_open(napi_env env, napi_value value, threadsafe_event **event) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->event_open(object, event);
}

/*
 * Opens a SharedRecord. The value is its `record.native`. Describe all fields, as for
 * threadsafe_record_queue_open(). Returns THREADSAFE_OK, _WRONG_KIND, _WRONG_LAYOUT, _WRONG_SIZE,
 * _TOO_OLD or _FAILED.
 *
 *     struct position { double x, y; };                                        // record({ x: 'float64', y: 'float64' })
 *     static const threadsafe_field fields[] = {THREADSAFE_FIELD(struct position, x, THREADSAFE_FLOAT64),
 *                                               THREADSAFE_FIELD(struct position, y, THREADSAFE_FLOAT64)};
 *     threadsafe_record_open(env, argv[0], sizeof(struct position), fields, 2, &position);
 */
static inline threadsafe_status threadsafe_record_open(napi_env env, napi_value value, size_t bytes, const threadsafe_field *fields,
                                                       size_t field_count, threadsafe_record **record) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->record_open(object, bytes, fields, field_count, record);
}

/*
 * Opens a message. The value is its `message.native`. `type` and `item_bytes` are as for
 * threadsafe_queue_open(). For THREADSAFE_RECORD the fields are as for
 * threadsafe_record_queue_open(), else NULL and 0. Messages of 'any' and 'string' can't be opened.
 * Returns THREADSAFE_OK, _WRONG_KIND, _WRONG_TYPE, _WRONG_LAYOUT, _WRONG_SIZE, _TOO_OLD or _FAILED.
 *
 *     threadsafe_message_open(env, argv[0], THREADSAFE_FLOAT64, sizeof(double), NULL, 0, &temperature);
 */
static inline threadsafe_status threadsafe_message_open(napi_env env, napi_value value, threadsafe_type type, size_t item_bytes,
                                                        const threadsafe_field *fields, size_t field_count, threadsafe_message **message) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->message_open(object, type, item_bytes, fields, field_count, message);
}

/*
 * Opens a lock. The value is its `lock.native`. Returns THREADSAFE_OK, _WRONG_KIND, _TOO_OLD or
 * _FAILED.
 */
static inline threadsafe_status threadsafe_lock_open(napi_env env, napi_value value, threadsafe_lock **lock) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->lock_open(object, lock);
}

/*
 * Opens a pool. The value is its `pool.native`. `type` is the type of its elements, and
 * `buffer_bytes` the size of a buffer: THREADSAFE_FLOAT32 and 128 * sizeof(float) for
 * 'float32[128]'. Returns THREADSAFE_OK, _WRONG_KIND, _WRONG_TYPE, _WRONG_SIZE, _TOO_OLD or
 * _FAILED.
 *
 *     threadsafe_pool *frames;
 *     threadsafe_pool_open(env, argv[0], THREADSAFE_BYTES, 1 << 20, &frames);
 */
static inline threadsafe_status threadsafe_pool_open(napi_env env, napi_value value, threadsafe_type type, size_t buffer_bytes,
                                                     threadsafe_pool **pool) {
  const threadsafe_native *object;
  const threadsafe_status status = threadsafe_native_of(env, value, &object);
  return status != THREADSAFE_OK ? status : object->table->pool_open(object, type, buffer_bytes, pool);
}

/* -- Handles, in any thread. -- */

/*
 * Cancels the handle: from now on every call with it returns THREADSAFE_CLOSED, also those that
 * wait at this moment. The queue itself stays open. Cancelling twice is no error.
 */
static inline threadsafe_status threadsafe_queue_cancel(threadsafe_queue *queue) { return queue->table->queue_cancel(queue); }

/*
 * Frees the handle: cancels it, and returns when no call is inside any more. Nobody may use it
 * afterwards, so first stop the threads that do, and restore the signal's handler. Call this also
 * after the isolate has ended: only this frees the handle's own memory, some 400 bytes.
 */
static inline threadsafe_status threadsafe_queue_close(threadsafe_queue *queue) { return queue->table->queue_close(queue); }

/* These do the same for the handle of an event, a record or a message. */
static inline threadsafe_status threadsafe_event_cancel(threadsafe_event *event) { return event->table->event_cancel(event); }
static inline threadsafe_status threadsafe_event_close(threadsafe_event *event) { return event->table->event_close(event); }
static inline threadsafe_status threadsafe_record_cancel(threadsafe_record *record) { return record->table->record_cancel(record); }
static inline threadsafe_status threadsafe_record_close(threadsafe_record *record) { return record->table->record_close(record); }
static inline threadsafe_status threadsafe_message_cancel(threadsafe_message *message) { return message->table->message_cancel(message); }
static inline threadsafe_status threadsafe_message_close(threadsafe_message *message) { return message->table->message_close(message); }

/*
 * These do the same for the handles of locks and pools. Closing a pool's handle does not end its
 * leases.
 */
static inline threadsafe_status threadsafe_lock_cancel(threadsafe_lock *lock) { return lock->table->lock_cancel(lock); }
static inline threadsafe_status threadsafe_lock_close(threadsafe_lock *lock) { return lock->table->lock_close(lock); }
static inline threadsafe_status threadsafe_pool_cancel(threadsafe_pool *pool) { return pool->table->pool_cancel(pool); }
static inline threadsafe_status threadsafe_pool_close(threadsafe_pool *pool) { return pool->table->pool_close(pool); }

/* -- The queue, in any thread. -- */

/*
 * Closes the queue in all threads, as queue.close() does in JavaScript: puts fail, gets take what
 * is left, iterators end. [signal-safe]
 */
static inline threadsafe_status threadsafe_queue_end(threadsafe_queue *queue) { return queue->table->queue_end(queue); }

/*
 * Puts an item if there is room, as queue.tryPut() does. `bytes` is its size, which all items of a
 * type of fixed size have in common. If the queue is full, returns THREADSAFE_FULL, and the item is
 * not put. With the overflow policy 'drop-newest' it returns _DROPPED; with 'drop-oldest' the
 * oldest item goes and it returns _OK. As it may be called in a signal handler it waits for nobody:
 * it returns _FULL (_DROPPED) also while another thread, or the interrupted one, is in the middle
 * of moving the item whose place it needs. The result of threadsafe_put(queue, item, bytes, 0) is
 * exact. Returns _CLOSED if the queue is closed. Returns _WRONG_SIZE or _TOO_LARGE for such an
 * item. If it wakes a thread that is blocked, a helper thread does that, somewhat later than
 * threadsafe_put(queue, item, bytes, 0) would. [signal-safe]
 *
 *     double sample = 1.5;
 *     if (threadsafe_try_put(samples, &sample, sizeof sample) == THREADSAFE_FULL) ...
 */
static inline threadsafe_status threadsafe_try_put(threadsafe_queue *queue, const void *item, size_t bytes) {
  return queue->table->try_put(queue, item, bytes);
}

/*
 * Does the same for callers that can't try again, such as a signal handler: without room the item
 * is dropped and counted in stats().dropped. Returns THREADSAFE_DROPPED then, never _FULL.
 * [signal-safe]
 */
static inline threadsafe_status threadsafe_put_or_drop(threadsafe_queue *queue, const void *item, size_t bytes) {
  return queue->table->put_or_drop(queue, item, bytes);
}

/*
 * Puts an item. Blocks this thread until there is room, or returns THREADSAFE_TIMEOUT when that
 * many milliseconds have passed; 0 tries once. It never drops anything. Returns _CLOSED if the
 * queue is closed, also during the wait. Returns _WRONG_SIZE or _TOO_LARGE for such an item. In a
 * JavaScript thread it blocks the event loop; terminate() and process.exit() end it there only in
 * the isolate that opened the handle.
 *
 *     while (threadsafe_put(samples, &sample, sizeof sample, THREADSAFE_FOREVER) == THREADSAFE_OK) sample = read_sensor();
 */
static inline threadsafe_status threadsafe_put(threadsafe_queue *queue, const void *item, size_t bytes, double milliseconds) {
  return queue->table->put(queue, item, bytes, milliseconds);
}

/*
 * Takes the oldest item. `bytes` is the size of the buffer, which for a type of fixed size is the
 * item's. `item_bytes`, if not NULL, is set to the item's length. Returns THREADSAFE_EMPTY if the
 * queue is empty, or another is in the middle of putting the oldest item. Returns _CLOSED if the
 * queue is closed and drained. Returns _TOO_SMALL if the buffer does not hold the item: the item
 * stays in the queue, and `item_bytes` is set to the size it needs, unless somebody else gets
 * meanwhile. Returns _DAMAGED if something has written over the memory. [signal-safe]
 *
 *     double sample;
 *     while (threadsafe_try_get(samples, &sample, sizeof sample, NULL) == THREADSAFE_OK) play(sample);
 */
static inline threadsafe_status threadsafe_try_get(threadsafe_queue *queue, void *item, size_t bytes, size_t *item_bytes) {
  return queue->table->try_get(queue, item, bytes, item_bytes);
}

/*
 * Does the same, but blocks this thread until there is an item, or returns THREADSAFE_TIMEOUT when
 * that many milliseconds have passed; 0 tries once. For the rest see threadsafe_put().
 */
static inline threadsafe_status threadsafe_get(threadsafe_queue *queue, void *item, size_t bytes, size_t *item_bytes, double milliseconds) {
  return queue->table->get(queue, item, bytes, item_bytes, milliseconds);
}

/* -- The event, in any thread: THREADSAFE_OK or _CLOSED. -- */

/*
 * Sets the event and wakes all who wait at this moment, even if it is cleared at once.
 * [signal-safe]
 */
static inline threadsafe_status threadsafe_event_set(threadsafe_event *event) { return event->table->event_set(event); }

/* Resets the event. [signal-safe] */
static inline threadsafe_status threadsafe_event_clear(threadsafe_event *event) { return event->table->event_clear(event); }

/* Sets `set` to whether the event is set, or to false if the handle is closed. [signal-safe] */
static inline threadsafe_status threadsafe_event_is_set(threadsafe_event *event, bool *set) {
  return event->table->event_is_set(event, set);
}

/*
 * Blocks this thread until the event is set, or returns THREADSAFE_TIMEOUT when that many
 * milliseconds have passed; 0 looks once. For the rest see threadsafe_put().
 */
static inline threadsafe_status threadsafe_event_wait(threadsafe_event *event, double milliseconds) {
  return event->table->event_wait(event, milliseconds);
}

/* -- The record, in any thread. -- */

/*
 * Copies the newest value: all of it from the same moment, whoever writes meanwhile. `bytes` is the
 * record's size. `version`, if not NULL, is set to the number of writes so far. Returns
 * THREADSAFE_OK, _WRONG_SIZE or _CLOSED. Returns _BUSY if others wrote so fast that none of 256
 * copies was whole, which takes more than 15 writes during each. Returns _DAMAGED if something has
 * written over the record's memory. [signal-safe]
 *
 *     struct position now;
 *     threadsafe_record_read(position, &now, sizeof now, NULL);
 */
static inline threadsafe_status threadsafe_record_read(threadsafe_record *record, void *value, size_t bytes, uint64_t *version) {
  return record->table->record_read(record, value, bytes, version);
}

/*
 * Writes those ranges of the value, all at once, and leaves the rest of the record as it is. NULL
 * and 0 write all of it. `bytes` is the record's size. Other fields that others write at the same
 * time are not lost, even if a signal handler calls this and has interrupted one of them.
 * `version`, if not NULL, is set to the version that was made. Returns THREADSAFE_OK; _WRONG_SIZE,
 * also for a range that is not within the record; _CLOSED; _DAMAGED; or _BUSY if others wrote each
 * of the 256 times that this tried, and nothing was written. [signal-safe]
 *
 *     static const threadsafe_range x[] = {THREADSAFE_RANGE(struct position, x)};
 *     struct position next = {.x = 1.5};
 *     threadsafe_record_write(position, &next, sizeof next, x, 1, NULL);
 */
static inline threadsafe_status threadsafe_record_write(threadsafe_record *record, const void *value, size_t bytes,
                                                        const threadsafe_range *ranges, size_t range_count, uint64_t *version) {
  return record->table->record_write(record, value, bytes, ranges, range_count, version);
}

/*
 * Blocks this thread until the record has a later version than `since`, and sets `version`, if not
 * NULL, to it. Returns THREADSAFE_TIMEOUT when that many milliseconds have passed; 0 looks once.
 * For the rest see threadsafe_put().
 *
 *     while (threadsafe_record_wait(position, seen, THREADSAFE_FOREVER, &seen) == THREADSAFE_OK) ...
 */
static inline threadsafe_status threadsafe_record_wait(threadsafe_record *record, uint64_t since, double milliseconds, uint64_t *version) {
  return record->table->record_wait(record, since, milliseconds, version);
}

/* -- The message, in any thread. -- */

/*
 * Sets the message to that value and wakes all who wait at this moment. `bytes` is the value's
 * size. Returns THREADSAFE_OK, _WRONG_SIZE, _TOO_LARGE, _CLOSED, _DAMAGED; or _BUSY if others set
 * it each of the 256 times that this tried, and nothing has changed. [signal-safe]
 *
 *     double celsius = 21.5;
 *     threadsafe_message_set(temperature, &celsius, sizeof celsius);
 */
static inline threadsafe_status threadsafe_message_set(threadsafe_message *message, const void *value, size_t bytes) {
  return message->table->message_set(message, value, bytes);
}

/*
 * Resets the message: calls that wait from now on wait until it is set again. Returns THREADSAFE_OK
 * or _CLOSED. [signal-safe]
 */
static inline threadsafe_status threadsafe_message_clear(threadsafe_message *message) { return message->table->message_clear(message); }

/* -- The lock, in any thread. -- */

/*
 * Sets `held` to whether somebody holds the lock at this moment. A signal handler that finds it
 * free may use what the lock protects only if nobody can acquire it meanwhile; one that finds it
 * held must leave that alone. Returns THREADSAFE_CLOSED, and sets false, if the handle is closed.
 * [signal-safe]
 */
static inline threadsafe_status threadsafe_lock_is_held(threadsafe_lock *lock, bool *held) { return lock->table->lock_is_held(lock, held); }

/*
 * -- The pool, in any thread. --
 *
 * A lease is a number. It belongs to the isolate that opened the handle, whichever thread uses it.
 * When that isolate ends, the buffers of its leases go back to the pool, so nobody may touch their
 * data any more. Only tokens go from C to JavaScript and back; a lease of one is not a lease of the
 * other. Calls return THREADSAFE_ENDED for a lease that has ended, a token that was taken, and
 * those of another pool.
 */

/*
 * Lends a buffer if one is free, else returns THREADSAFE_EMPTY. As it may be called in a signal
 * handler it waits for nobody: it returns _EMPTY also if buffers come and go while it looks.
 * [signal-safe]
 *
 *     uint32_t lease;
 *     void *frame;
 *     if (threadsafe_pool_try_lend(frames, &lease) == THREADSAFE_OK) threadsafe_pool_data(frames, lease, &frame);
 */
static inline threadsafe_status threadsafe_pool_try_lend(threadsafe_pool *pool, uint32_t *lease) {
  return pool->table->pool_try_lend(pool, lease);
}

/*
 * Lends a buffer. Blocks this thread until one is free, or returns THREADSAFE_TIMEOUT when that
 * many milliseconds have passed; 0 tries once. For the rest see threadsafe_put().
 */
static inline threadsafe_status threadsafe_pool_lend(threadsafe_pool *pool, uint32_t *lease, double milliseconds) {
  return pool->table->pool_lend(pool, lease, milliseconds);
}

/*
 * Sets `data` to the lease's buffer, which has the size that the pool was opened with.
 * [signal-safe]
 */
static inline threadsafe_status threadsafe_pool_data(threadsafe_pool *pool, uint32_t lease, void **data) {
  return pool->table->pool_data(pool, lease, data);
}

/*
 * Ends the lease, and sets `token` to a token. Whoever gets the buffer takes it by that, once, in
 * any thread. [signal-safe]
 */
static inline threadsafe_status threadsafe_pool_pass(threadsafe_pool *pool, uint32_t lease, uint32_t *token) {
  return pool->table->pool_pass(pool, lease, token);
}

/* Makes a lease of a buffer that was passed on. [signal-safe] */
static inline threadsafe_status threadsafe_pool_take(threadsafe_pool *pool, uint32_t token, uint32_t *lease) {
  return pool->table->pool_take(pool, token, lease);
}

/* Gives the buffer back to the pool. Wakes a thread as threadsafe_try_put() does. [signal-safe] */
static inline threadsafe_status threadsafe_pool_release(threadsafe_pool *pool, uint32_t lease) {
  return pool->table->pool_release(pool, lease);
}

/* Returns what a status means, in English. [signal-safe] */
static inline const char *threadsafe_status_text(threadsafe_status status) {
  switch (status) {
    case THREADSAFE_OK:
      return "ok";
    case THREADSAFE_EMPTY:
      return "the queue is empty, or the pool has no free buffer";
    case THREADSAFE_FULL:
      return "the queue is full";
    case THREADSAFE_CLOSED:
      return "closed";
    case THREADSAFE_TIMEOUT:
      return "the time was over first";
    case THREADSAFE_TOO_SMALL:
      return "the buffer does not hold the next item";
    case THREADSAFE_DROPPED:
      return "the queue is full, and the item was dropped";
    case THREADSAFE_TOO_LARGE:
      return "larger than the queue or the message can hold";
    case THREADSAFE_WRONG_SIZE:
      return "the object holds something of another size";
    case THREADSAFE_WRONG_TYPE:
      return "the object holds something of another type";
    case THREADSAFE_WRONG_LAYOUT:
      return "the records have other fields";
    case THREADSAFE_WRONG_KIND:
      return "not the .native of such an object of the package threadsafe";
    case THREADSAFE_TOO_OLD:
      return "the package threadsafe is older than this addon needs";
    case THREADSAFE_FAILED:
      return "the system refused memory or a thread, or the isolate is being stopped";
    case THREADSAFE_DAMAGED:
      return "the object's memory was written over";
    case THREADSAFE_BUSY:
      return "others have written each time that this tried";
    case THREADSAFE_ENDED:
      return "the lease has ended, or the token was taken";
  }
  return "unknown";
}

#ifdef __cplusplus
}
#endif

#endif
