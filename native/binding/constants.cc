// Codes, limits and versions, which TypeScript reads from here instead of keeping copies.
#include "../core/layout.h"
#include "../core/questions.h"
#include "../core/status.h"
#include "../platform/doorbell.h"
#include "binding.h"

namespace threadsafe {
namespace {

struct Named {
  const char* name;
  u32 value;
};

template <std::size_t N>
Napi::Object object_of(Napi::Env env, const Named (&entries)[N]) {
  Napi::Object object = Napi::Object::New(env);
  for (const Named& entry : entries) object[entry.name] = Napi::Number::New(env, entry.value);
  object.Freeze();
  return object;
}

constexpr Named of(const char* name, Status value) { return {name, static_cast<u32>(value)}; }
constexpr Named of(const char* name, ElementType value) { return {name, static_cast<u32>(value)}; }
constexpr Named of(const char* name, Question value) { return {name, static_cast<u32>(value)}; }
constexpr Named of(const char* name, Overflow value) { return {name, static_cast<u32>(value)}; }

constexpr Named kStatus[] = {
    of("ok", Status::ok),
    of("empty", Status::empty),
    of("full", Status::full),
    of("closed", Status::closed),
    of("timeout", Status::timeout),
    of("interrupted", Status::interrupted),
    of("tooSmall", Status::too_small),
    of("dropped", Status::dropped),
    of("busy", Status::busy),
    of("damaged", Status::damaged),
};

constexpr Named kElementTypes[] = {
    of("any", ElementType::any),         of("string", ElementType::string),     of("bytes", ElementType::bytes),
    of("boolean", ElementType::boolean), of("int8", ElementType::int8),         of("uint8", ElementType::uint8),
    of("int16", ElementType::int16),     of("uint16", ElementType::uint16),     of("int32", ElementType::int32),
    of("uint32", ElementType::uint32),   of("bigint64", ElementType::bigint64), of("biguint64", ElementType::biguint64),
    of("float32", ElementType::float32), of("float64", ElementType::float64),   of("record", ElementType::record),
    of("array", ElementType::array),
};

constexpr Named kWaitFor[] = {
    {"item", static_cast<u32>(WaitFor::item)},
    {"room", static_cast<u32>(WaitFor::room)},
};

constexpr Named kLists[] = {
    {"notEmpty", kOrigin + offsetof(QueueHeader, not_empty)}, {"notFull", kOrigin + offsetof(QueueHeader, not_full)},
    {"allDone", kOrigin + offsetof(QueueHeader, all_done)},   {"waiters", kOrigin + offsetof(EventHeader, waiters)},
    {"changed", kOrigin + offsetof(SnapshotHeader, changed)}, {"lockWaiters", kOrigin + offsetof(LockHeader, waiters)},
    {"poolWaiters", kOrigin + offsetof(PoolHeader, waiters)},
};

constexpr Named kQuestions[] = {
    of("status", Question::status),
    of("size", Question::size),
    of("full", Question::full),
    of("closed", Question::closed),
    of("spinForItem", Question::spin_for_item),
    of("spinForRoom", Question::spin_for_room),
};

constexpr Named kOverflow[] = {
    of("reject", Overflow::reject),
    of("drop-newest", Overflow::drop_newest),
    of("drop-oldest", Overflow::drop_oldest),
};

// Whether stores may be seen in another order than they were made, unless a fence is between them.
#if defined(__x86_64__) || defined(_M_X64) || defined(__i386__) || defined(_M_IX86)
constexpr bool kStoresReordered = false;
#else
constexpr bool kStoresReordered = true;
#endif

}  // namespace

void export_constants(Napi::Env env, Napi::Object exports) {
  exports["status"] = object_of(env, kStatus);
  exports["elementTypes"] = object_of(env, kElementTypes);
  exports["overflows"] = object_of(env, kOverflow);
  exports["questions"] = object_of(env, kQuestions);
  exports["waitFor"] = object_of(env, kWaitFor);
  exports["lists"] = object_of(env, kLists);
  exports["rungLists"] = Napi::Number::New(env, kRungLists);
  exports["layoutVersion"] = Napi::Number::New(env, kLayoutVersion);
  exports["pageBytes"] = Napi::Number::New(env, kPageBytes);
  exports["headBytes"] = Napi::Number::New(env, kHeadBytes);
  exports["lengthBytes"] = Napi::Number::New(env, kLengthBytes);
  exports["storesReordered"] = Napi::Boolean::New(env, kStoresReordered);
  exports["scratchBytes"] = Napi::Number::New(env, kScratchBytes);
  exports["stagingBytes"] = Napi::Number::New(env, kStagingBytes);
  exports["mostBuffers"] = Napi::Number::New(env, kMostPoolBuffers);
  exports["lockMemory"] = Napi::Number::New(env, kOrigin + sizeof(LockHeader));
  exports["mostTogether"] = Napi::Number::New(env, kMostTogether);
  exports["togetherBytes"] = Napi::Number::New(env, kTogetherBytes);
  exports["wide"] = Napi::Number::New(env, kWide);
  exports["eventMemory"] = Napi::Number::New(env, kOrigin + sizeof(EventHeader));
}

}  // namespace threadsafe
