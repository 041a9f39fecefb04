// The functions of a record and of a message for lib/shared. Content passes through the thread's
// buffer, which the environment owns; or, if a Uint8Array comes with the call, its head there and
// the rest in that. A function that tells a
// version returns a status as its negative; see native/wasm/record.cc.
#include "../core/record.h"

#include <algorithm>

#include "../core/buffers.h"
#include "binding.h"
#include "object.h"

namespace threadsafe {
namespace {

// Where content is in JavaScript's hands during one call.
struct Parcel {
  Parcel(const Environment& environment, ElementType type, const Napi::CallbackInfo& info, std::size_t argument)
      : scratch(environment.scratch()), in_scratch(kScratchBytes) {
    if (info.Length() <= argument) return;
    void* data = nullptr;
    std::size_t bytes = 0;
    if (napi_get_typedarray_info(info.Env(), info[argument], nullptr, &bytes, &data, nullptr, nullptr) != napi_ok) return;
    body = static_cast<std::byte*>(data);
    body_bytes = static_cast<u32>(std::min<std::size_t>(bytes, ~u32{0} - kHeadBytes));
    in_scratch = head_bytes(type);
  }

  u32 limit() const { return in_scratch + body_bytes; }

  void read(const Buffers& buffers, u32 index, u32 length) const {
    buffers.read(index, 0, scratch, std::min(length, in_scratch));
    if (length > in_scratch) buffers.read(index, in_scratch, body, length - in_scratch);
  }
  void write(const Buffers& buffers, u32 index, u32 length) const {
    buffers.set_length(index, length);
    buffers.write(index, 0, scratch, std::min(length, in_scratch));
    if (length > in_scratch) buffers.write(index, in_scratch, body, length - in_scratch);
  }

  std::byte* const scratch;
  u32 in_scratch;
  std::byte* body = nullptr;
  u32 body_bytes = 0;
};

class RecordObject final : public SharedObject {
 public:
  // { object, wake, view }
  static Napi::Object open(Napi::Env env, Napi::Uint8Array view, const FoundSnapshot& found) {
    return opened<&RecordObject::wake>(env, new RecordObject(env, view, found));
  }

  // The functions that take such an object.
  static Napi::Object functions(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["read"] = function<RecordObject, &RecordObject::read>(env, "read");
    object["length"] = function<RecordObject, &RecordObject::length>(env, "length");
    object["write"] = function<RecordObject, &RecordObject::write>(env, "write");
    object["retries"] = function<RecordObject, &RecordObject::retries>(env, "retries");
    object["waitBlocking"] = function<RecordObject, &RecordObject::wait_blocking>(env, "waitBlocking");
    object["announce"] = function<RecordObject, &RecordObject::announce>(env, "announce");
    return object;
  }

 private:
  RecordObject(Napi::Env env, Napi::Uint8Array view, const FoundSnapshot& found)
      : SharedObject(Environment::of(env), view),
        found_(found),
        header_(*found.header),
        buffers_(buffers_in(header_, found_.geometry)),
        snapshot_(header_, buffers_, ThreadWake{}) {}

  WaitList& get_list() override { return header_.changed; }
  bool ready(u64 since) override { return version_in(snapshot_.word()) > since; }
  void pass_on() override {}  // a write wakes all

  void withdraw_and_wake() override {
    if (environment().doorbell() != kNoDoorbell) take_loop(header_.changed, environment().doorbell());
    ThreadWake{}.all(header_.changed);
  }

  Napi::Value wake(const Napi::CallbackInfo& info) {
    ThreadWake{}.all(header_.changed);
    return info.Env().Undefined();
  }

  static Napi::Value told_or(const Napi::CallbackInfo& info, Status status, u64 word) {
    const double told = status == Status::ok ? static_cast<double>(word / kMessageSet) : -static_cast<double>(status);
    return Napi::Number::New(info.Env(), told);
  }

  // (body): the newest content. `too_small`: there is no room for it.
  Napi::Value read(const Napi::CallbackInfo& info) {
    const Parcel parcel(environment(), found_.geometry.type, info, 1);
    u64 word = 0;
    u32 length = 0;
    // Whoever keeps it busy writes as many versions as there are buffers during each try.
    const auto attempt = [&] {
      return snapshot_.try_read(word, [&](u32 index) {
        length = buffers_.length(index);
        if (length <= std::min(parcel.limit(), buffers_.bytes)) parcel.read(buffers_, index, length);
      });
    };
    Status status = until_not_busy(attempt, [] { return true; });
    if (status == Status::ok && length > buffers_.bytes) status = Status::damaged;
    if (status == Status::ok && length > parcel.limit()) status = Status::too_small;
    read_length_ = length;
    return told_or(info, status, word);
  }

  // (): the length of the content that was read last, or was too long.
  Napi::Value length(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), read_length_); }

  // (length, after, body): one try, as in native/wasm/record.cc.
  Napi::Value write(const Napi::CallbackInfo& info) {
    const Parcel parcel(environment(), found_.geometry.type, info, 3);
    const u32 length = info[1].As<Napi::Number>().Uint32Value();
    const double after = info[2].As<Napi::Number>().DoubleValue();
    if (length > std::min(parcel.limit(), buffers_.bytes)) {
      Napi::RangeError::New(info.Env(), "threadsafe: the item's buffer was taken away").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    u64 word = snapshot_.begin();
    if (after >= 0 && static_cast<double>(word / kMessageSet) != after) return told_or(info, Status::busy, word);
    const auto fill = [&](u32 index) { parcel.write(buffers_, index, length); };
    const Status status = snapshot_.try_write(word, found_.kind == Kind::message, fill, after < 0);
    return told_or(info, status, word);
  }

  Napi::Value retries(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), header_.retries.load(memory_order_relaxed));  // a count, which orders nothing
  }

  // (since, timeout)
  Napi::Value wait_blocking(const Napi::CallbackInfo& info) {
    keep_memory();
    auto stops = stop_check();
    ThreadParker waiting(header_.changed, deadline(info[2]), stops);
    const auto since = static_cast<u64>(info[1].As<Napi::Number>().Int64Value());
    return Napi::Number::New(info.Env(), static_cast<u32>(snapshot_.wait(waiting, since)));
  }

  Napi::Value announce(const Napi::CallbackInfo& info) {
    announce_loop(header_.changed, environment().doorbell());
    return info.Env().Undefined();
  }

  const FoundSnapshot found_;
  SnapshotHeader& header_;
  const Buffers buffers_;
  u32 read_length_ = 0;
  Snapshot<Buffers, ThreadWake> snapshot_;
};

ElementType type_of(const Napi::Value& value) { return static_cast<ElementType>(number(value)); }
Kind kind_of(const Napi::Value& is_message) { return is_message.As<Napi::Boolean>().Value() ? Kind::message : Kind::record; }

// (type, most bytes of content): bytes of memory, 0 if that is more than there can be.
Napi::Value record_memory(const Napi::CallbackInfo& info) {
  SnapshotGeometry geometry;
  return Napi::Number::New(info.Env(), static_cast<double>(lay_out(geometry, type_of(info[0]), number(info[1]))));
}

// (view, whether it is a message, type, most bytes of content): makes zeroed memory a record whose
// content is zeros, or a message that was never set.
Napi::Value init_record(const Napi::CallbackInfo& info) {
  const Kind kind = kind_of(info[1]);
  auto& header = make_object<SnapshotHeader>(info[0].As<Napi::Uint8Array>(), kind);
  lay_out(header.geometry, type_of(info[2]), number(info[3]));
  // Relaxed: nobody else has the memory.
  header.free.store((~u64{0} >> (kMostBuffers - header.geometry.count)) - 1, memory_order_relaxed);
  if (kind == Kind::record) buffers_in(header, header.geometry).set_length(0, header.geometry.bytes);
  return info.Env().Undefined();
}

// (view, whether it is a message): { object, wake, view, type, bytes, staging, first }, or undefined.
Napi::Value open_record(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  const std::optional<FoundSnapshot> found = snapshot_in(view, kind_of(info[1]));
  if (!found) return info.Env().Undefined();
  Napi::Object result = RecordObject::open(info.Env(), view, *found);
  const SnapshotGeometry& geometry = found->geometry;
  result["type"] = Napi::Number::New(info.Env(), static_cast<u32>(geometry.type));
  result["bytes"] = Napi::Number::New(info.Env(), geometry.bytes);
  result["staging"] = Napi::Number::New(info.Env(), kOrigin + geometry.staging);
  result["first"] = Napi::Number::New(info.Env(), kOrigin + geometry.buffers + kStampBytes);
  return result;
}

}  // namespace

void export_record(Napi::Env env, Napi::Object exports) {
  exports["record"] = RecordObject::functions(env);
  exports["recordMemory"] = Napi::Function::New<record_memory>(env, "recordMemory");
  exports["initRecord"] = Napi::Function::New<init_record>(env, "initRecord");
  exports["openRecord"] = Napi::Function::New<open_record>(env, "openRecord");
}

}  // namespace threadsafe
