// The WebAssembly build: the core as JavaScript's hot path. One call puts or gets one number; what waits is woken by the addon,
// which is called only if someone does. Nothing here may need a stack in memory or static data: every thread's instance has the
// same memory. `npm run wasm` builds lib/wasm.generated.ts from this file and checks that.
#include "../core/event.h"
#include "../core/queue.h"
#include "../core/slots.h"
#include "spinning.h"

#define EXPORT(name) extern "C" __attribute__((export_name(name)))

namespace {

using namespace threadsafe;

enum List : int { kNotEmpty = 0, kNotFull = 1, kEvent = 0 };  // as native/binding/object.h numbers them

// The addon's function: wakes one waiter of that list (of an event's: all).
extern "C" __attribute__((import_module("host"), import_name("wake"))) void wake(int list);

QueueHeader& queue_header() { return *reinterpret_cast<QueueHeader*>(kOrigin); }
EventHeader& event_header() { return *reinterpret_cast<EventHeader*>(kOrigin); }

struct QueueWake {
  void one(WaitList& list) { wake(&list == &queue_header().not_empty ? kNotEmpty : kNotFull); }
  void all(WaitList& list) { one(list); }
};

struct EventWake {
  void all(WaitList&) { wake(kEvent); }
};

auto queue() { return Queue<CellSlots, QueueWake>(queue_header(), CellSlots(queue_header()), QueueWake{}); }
auto event() { return Event<EventWake>(event_header(), EventWake{}); }

// Why the last get of this instance brought nothing. A WebAssembly global (that is what address space 1 means to clang), so that
// each thread has its own.
__attribute__((address_space(1))) Status last_status;

// Of this thread's waits, at both ends of the queue; see spinning.h.
__attribute__((address_space(1))) u32 waits;
__attribute__((address_space(1))) u32 idled;
__attribute__((address_space(1))) bool items_stream;
__attribute__((address_space(1))) bool room_streams;

void pause(u32 rounds) { idled = idle(rounds, idled); }

// Where others are streaming, or to find out: pauses until there should be many. Answers whether there are, by amount().
template <class Amount>
bool pause_for_many(bool streaming, Amount&& amount) {
  if (!streaming && ++waits % kProbeInterval != 0) return false;
  const u32 for_queue = queue_header().capacity * kStreamingPausePerSlot;
  pause(for_queue < kStreamingPause ? for_queue : kStreamingPause);
  return amount() >= kManyItems;
}

template <class Ready>
bool look_often(Ready&& ready) {
  u32 rounds = 1;
  for (u32 look = 0; look < kLooks; look++) {
    if (ready()) return true;
    pause(rounds);
    if (rounds < kLongestPause) rounds *= 2;
  }
  return false;
}

template <class T>
int put(T value) {
  return static_cast<int>(queue().try_put(sizeof(T), [=](Span span) { CellSlots(queue_header()).value<T>(span.index) = value; }));
}

// NaN, or the bigint 0, when there is nothing; as that may also be an item, the caller then asks status().
template <class T, class Result>
Result get(Result nothing) {
  Result result = nothing;
  last_status = queue().try_get(~u32{0}, [&](Span span) { result = CellSlots(queue_header()).value<T>(span.index); });
  return result;
}

template <class T>
double get_number() {
  return get<T>(__builtin_nan(""));
}

}  // namespace

// An integer's low bytes are those of the narrower types, so one function puts them all; and what is cut off is what typed arrays cut off.
EXPORT("put_integer") int put_integer(int value) { return put(value); }
EXPORT("put_bigint") int put_bigint(std::int64_t value) { return put(value); }
EXPORT("put_float32") int put_float32(float value) { return put(value); }
EXPORT("put_float64") int put_float64(double value) { return put(value); }

EXPORT("get_float64") double get_float64() { return get_number<double>(); }
EXPORT("get_float32") double get_float32() { return get_number<float>(); }
EXPORT("get_int8") double get_int8() { return get_number<std::int8_t>(); }
EXPORT("get_uint8") double get_uint8() { return get_number<std::uint8_t>(); }
EXPORT("get_int16") double get_int16() { return get_number<std::int16_t>(); }
EXPORT("get_uint16") double get_uint16() { return get_number<std::uint16_t>(); }
EXPORT("get_int32") double get_int32() { return get_number<std::int32_t>(); }
EXPORT("get_uint32") double get_uint32() { return get_number<std::uint32_t>(); }
EXPORT("get_bigint") std::int64_t get_bigint() { return get<std::int64_t>(std::int64_t{0}); }

// Whether there is an item, or room, after a short wait for it: a hint, as others may be quicker.
EXPORT("spin_for_item") int spin_for_item() {
  items_stream = pause_for_many(items_stream, [] { return queue().size(); });
  return look_often([] { return queue().has_item(); });
}
EXPORT("spin_for_room") int spin_for_room() {
  room_streams = pause_for_many(room_streams, [] { return queue_header().capacity - queue().size(); });
  return look_often([] { return !queue().full(); });
}

EXPORT("status") int status() { return static_cast<int>(last_status); }
EXPORT("size") int size() { return static_cast<int>(queue().size()); }
EXPORT("full") int full() { return queue().full(); }
EXPORT("closed") int closed() { return queue().closed(); }

EXPORT("set") void set() { event().set(); }
EXPORT("clear") void clear() { event().clear(); }
EXPORT("is_set") int is_set() { return event().is_set(); }
EXPORT("word") double word() { return static_cast<double>(event().word()); }
