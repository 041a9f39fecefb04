// `queue.native` and its like: JavaScript values that lead other addons to the functions of
// threadsafe.h. Also opens the objects that these values hold.
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "../capi/calls.h"
#include "binding.h"
#include "environment.h"
#include "object.h"

namespace threadsafe {
namespace {

struct RecordField {
  std::string name;
  u32 type;
  u32 offset;
  u32 bytes;
};

threadsafe_status open_record(const threadsafe_native* object, std::size_t bytes, const threadsafe_field* fields, std::size_t field_count,
                              threadsafe_record** record);
threadsafe_status open_message(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                               const threadsafe_field* fields, std::size_t field_count, threadsafe_message** message);
threadsafe_status open_lock(const threadsafe_native* object, threadsafe_lock** lock);
threadsafe_status open_pool(const threadsafe_native* object, threadsafe_type type, std::size_t buffer_bytes, threadsafe_pool** pool);

constexpr NativeOpeners kOpeners{open_record, open_message, open_lock, open_pool};

// The object that such a value wraps. It lives as long as the value, in one isolate.
struct NativeObject final : OpenableNative {
  NativeObject(Environment& owner, Napi::Uint8Array memory)
      : OpenableNative(kOpeners),
        environment(owner.shared_from_this()),
        view(Napi::Persistent(memory)),
        queue(queue_in(memory)),
        event(event_in(memory)),
        record(snapshot_in(memory, Kind::record)),
        message(snapshot_in(memory, Kind::message)),
        lock(lock_in(memory)),
        pool(pool_in(memory)) {}

  bool is_known() const { return queue || event || record || message || lock || pool; }

  static const NativeObject& of(const threadsafe_native* object) { return static_cast<const NativeObject&>(*object); }

  const std::shared_ptr<Environment> environment;
  const Napi::Reference<Napi::Uint8Array> view;
  // One of these.
  const std::optional<FoundQueue> queue;
  EventHeader* const event;
  const std::optional<FoundSnapshot> record;
  const std::optional<FoundSnapshot> message;
  LockHeader* const lock;
  const std::optional<FoundPool> pool;
  std::vector<RecordField> fields;
};

Napi::Value wrapped(Napi::Env env, std::unique_ptr<NativeObject> object) {
  static constexpr napi_type_tag kTag = THREADSAFE_TYPE_TAG;
  Napi::Object value = Napi::Object::New(env);
  threadsafe_native* const data = object.get();
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<NativeObject*>(static_cast<threadsafe_native*>(data)); };
  if (napi_type_tag_object(env, value, &kTag) != napi_ok || napi_wrap(env, value, data, finalize, nullptr, nullptr) != napi_ok) {
    return env.Undefined();
  }
  object.release();
  return value;
}

// Returns false if the isolate is being stopped.
bool read_fields(napi_env env, napi_value array, std::vector<RecordField>& fields) {
  u32 count;
  if (!length_of(env, array, count)) return false;
  for (u32 k = 0; k < count; k++) {
    napi_value value;
    RecordField field;
    if (!element_of(env, array, k, value) || !text_in(env, value, "name", field.name) || !number_in(env, value, "type", field.type) ||
        !number_in(env, value, "offset", field.offset) || !number_in(env, value, "bytes", field.bytes)) {
      return false;
    }
    fields.push_back(std::move(field));
  }
  return true;
}

// (view of the memory, fields of the record as [{ name, type, offset, bytes }] or undefined): the
// value, or undefined. Needs this loop's doorbell.
Napi::Value native_object(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  auto object = std::make_unique<NativeObject>(Environment::of(info.Env()), view);
  if (!object->is_known()) return info.Env().Undefined();
  if (info[1].IsArray() && !read_fields(info.Env(), info[1], object->fields)) return info.Env().Undefined();
  return wrapped(info.Env(), std::move(object));
}

// The size of an item of that type in C; 0 if it has no fixed size, or is a record or an array.
u32 natural_bytes(threadsafe_type type) {
  switch (type) {
    case THREADSAFE_BOOLEAN:
    case THREADSAFE_INT8:
    case THREADSAFE_UINT8:
      return 1;
    case THREADSAFE_INT16:
    case THREADSAFE_UINT16:
      return 2;
    case THREADSAFE_INT32:
    case THREADSAFE_UINT32:
    case THREADSAFE_FLOAT32:
      return 4;
    case THREADSAFE_BIGINT64:
    case THREADSAFE_BIGUINT64:
    case THREADSAFE_FLOAT64:
      return 8;
    case THREADSAFE_BYTES:
    case THREADSAFE_RECORD:
    case THREADSAFE_ARRAY:
      return 0;
  }
  return 0;
}

bool same_layout(const std::vector<RecordField>& ours, const threadsafe_field* theirs, std::size_t count) {
  if (count != ours.size()) return false;
  for (std::size_t k = 0; k < count; k++) {
    const RecordField& our = ours[k];
    const threadsafe_field& their = theirs[k];
    if (our.name != their.name || our.type != static_cast<u32>(their.type) || our.offset != their.offset || our.bytes != their.bytes)
      return false;
  }
  return true;
}

// Makes the isolate an owner of the handle, beside the caller.
threadsafe_status adopt(const NativeObject& object, Handle* handle) {
  if (!handle) return THREADSAFE_FAILED;
  const Napi::HandleScope scope(object.view.Env());
  object.environment->native_handles().add(*handle, object.view.Value());
  return THREADSAFE_OK;
}

// Returns false if the things that handles need are not available, or the isolate is ending.
bool prepare(const NativeObject& object) {
  return object.environment->doorbell() != kNoDoorbell && !object.environment->ended() && start_unparking() == 0;
}

Opener opener_of(const NativeObject& object) {
  Environment& environment = *object.environment;
  return {&environment,
          [](void* environment) { return static_cast<Environment*>(environment)->native_code_interrupted(); },
          std::this_thread::get_id(),
          environment.thread_number(),
          environment.doorbell(),
          environment.stop_intervals()};
}

}  // namespace

threadsafe_status open_native_queue(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                                    const threadsafe_field* fields, std::size_t field_count, threadsafe_queue** queue) {
  const NativeObject& source = NativeObject::of(object);
  if (!source.queue) return THREADSAFE_WRONG_KIND;
  const Geometry& geometry = source.queue->geometry;
  // A queue of the encodings of lib/codec has a type that is none of threadsafe.h.
  if (static_cast<u32>(geometry.type) != static_cast<u32>(type) || geometry.type < ElementType::bytes) return THREADSAFE_WRONG_TYPE;
  u32 fixed_bytes = natural_bytes(type);
  if (type == THREADSAFE_RECORD) {
    if (!same_layout(source.fields, fields, field_count)) return THREADSAFE_WRONG_LAYOUT;
    fixed_bytes = geometry.item_bytes;
  }
  if (type == THREADSAFE_ARRAY) fixed_bytes = geometry.item_bytes;
  if (fixed_bytes != 0 && item_bytes != fixed_bytes) return THREADSAFE_WRONG_SIZE;
  if (!prepare(source)) return THREADSAFE_FAILED;
  auto* const handle = new (std::nothrow) OpenQueue(opener_of(source), *source.queue->header, geometry, fixed_bytes);
  const threadsafe_status status = adopt(source, handle);
  if (status == THREADSAFE_OK) *queue = handle;
  return status;
}

threadsafe_status open_native_event(const threadsafe_native* object, threadsafe_event** event) {
  const NativeObject& source = NativeObject::of(object);
  if (!source.event) return THREADSAFE_WRONG_KIND;
  if (!prepare(source)) return THREADSAFE_FAILED;
  auto* const handle = new (std::nothrow) OpenEvent(opener_of(source), *source.event);
  const threadsafe_status status = adopt(source, handle);
  if (status == THREADSAFE_OK) *event = handle;
  return status;
}

namespace {

threadsafe_status open_record(const threadsafe_native* object, std::size_t bytes, const threadsafe_field* fields, std::size_t field_count,
                              threadsafe_record** record) {
  const NativeObject& source = NativeObject::of(object);
  if (!source.record) return THREADSAFE_WRONG_KIND;
  if (!same_layout(source.fields, fields, field_count)) return THREADSAFE_WRONG_LAYOUT;
  if (bytes != source.record->geometry.bytes) return THREADSAFE_WRONG_SIZE;
  if (!prepare(source)) return THREADSAFE_FAILED;
  auto* const handle = new (std::nothrow) OpenRecord(opener_of(source), *source.record->header, source.record->geometry);
  const threadsafe_status status = adopt(source, handle);
  if (status == THREADSAFE_OK) *record = handle;
  return status;
}

threadsafe_status open_message(const threadsafe_native* object, threadsafe_type type, std::size_t item_bytes,
                               const threadsafe_field* fields, std::size_t field_count, threadsafe_message** message) {
  const NativeObject& source = NativeObject::of(object);
  if (!source.message) return THREADSAFE_WRONG_KIND;
  const SnapshotGeometry& geometry = source.message->geometry;
  if (static_cast<u32>(geometry.type) != static_cast<u32>(type) || geometry.type < ElementType::bytes) return THREADSAFE_WRONG_TYPE;
  if (type == THREADSAFE_RECORD && !same_layout(source.fields, fields, field_count)) return THREADSAFE_WRONG_LAYOUT;
  const u32 fixed_bytes = type == THREADSAFE_BYTES ? 0 : geometry.bytes;
  if (fixed_bytes != 0 && item_bytes != fixed_bytes) return THREADSAFE_WRONG_SIZE;
  if (!prepare(source)) return THREADSAFE_FAILED;
  auto* const handle = new (std::nothrow) OpenMessage(opener_of(source), *source.message->header, geometry, fixed_bytes);
  const threadsafe_status status = adopt(source, handle);
  if (status == THREADSAFE_OK) *message = handle;
  return status;
}

threadsafe_status open_lock(const threadsafe_native* object, threadsafe_lock** lock) {
  const NativeObject& source = NativeObject::of(object);
  if (!source.lock) return THREADSAFE_WRONG_KIND;
  if (!prepare(source)) return THREADSAFE_FAILED;
  auto* const handle = new (std::nothrow) OpenLock(opener_of(source), *source.lock);
  const threadsafe_status status = adopt(source, handle);
  if (status == THREADSAFE_OK) *lock = handle;
  return status;
}

threadsafe_status open_pool(const threadsafe_native* object, threadsafe_type type, std::size_t buffer_bytes, threadsafe_pool** pool) {
  const NativeObject& source = NativeObject::of(object);
  if (!source.pool) return THREADSAFE_WRONG_KIND;
  const PoolGeometry& geometry = source.pool->geometry;
  if (static_cast<u32>(geometry.type) != static_cast<u32>(type)) return THREADSAFE_WRONG_TYPE;
  if (buffer_bytes != geometry.bytes) return THREADSAFE_WRONG_SIZE;
  if (!prepare(source)) return THREADSAFE_FAILED;
  auto* const handle = new (std::nothrow) OpenPool(opener_of(source), *source.pool->header, geometry);
  const threadsafe_status status = adopt(source, handle);
  if (status != THREADSAFE_OK) return status;
  source.environment->native_handles().keep_pool(*source.pool->header, source.view.Value());
  *pool = handle;
  return status;
}

}  // namespace

void export_native_code(Napi::Env env, Napi::Object exports) {
  exports["nativeObject"] = Napi::Function::New<native_object>(env, "nativeObject");
}

}  // namespace threadsafe
