// The objects whose handles the calls of threadsafe.h use, and the simplest model of what each
// holds. The model is right as long as one thread makes all calls.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

#include "../capi/calls.h"
#include "scribble.h"

namespace threadsafe::fuzz {

// Opens handles as an isolate whose number none of the fuzzer's threads has.
inline Opener opener() {
  return {nullptr, [](void*) { return false; }, std::thread::id(), 1, 0};
}

// Two handles of one object. A handle that is closed is opened again at once.
template <class Open, auto cancel, auto close>
class Handles {
 public:
  struct One {
    Open* open = nullptr;
    std::atomic<bool> cancelled{false};
    std::atomic<bool> ended{false};
  };

  explicit Handles(std::function<Open*()> make) : make_(std::move(make)) {
    for (One& one : all_) one.open = make_();
  }
  ~Handles() {
    for (One& one : all_) let_go(one);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  One& pick(Input& input) { return all_[input.byte() % 2]; }

  // Cancels a handle, ends its isolate's part in it, or closes it. Nobody may close it during a
  // call.
  void live(Input& input, bool alone) {
    One& one = pick(input);
    switch (input.below(alone ? 3 : 2)) {
      case 0:
        one.cancelled = true;
        require(cancel(one.open) == THREADSAFE_OK, "a handle can be cancelled, and twice");
        return;
      case 1:
        one.cancelled = true;
        if (!one.ended.exchange(true)) one.open->end();
        return;
      default:
        let_go(one);
        one.open = make_();
        one.cancelled = one.ended = false;
    }
  }

 private:
  static void let_go(One& one) {
    require(close(one.open) == THREADSAFE_OK, "a handle can be closed");
    if (!one.ended.exchange(true)) one.open->end();
  }

  const std::function<Open*()> make_;
  One all_[2];
};

using QueueHandles = Handles<OpenQueue, threadsafe_queue_cancel, threadsafe_queue_close>;
using EventHandles = Handles<OpenEvent, threadsafe_event_cancel, threadsafe_event_close>;
using RecordHandles = Handles<OpenRecord, threadsafe_record_cancel, threadsafe_record_close>;
using MessageHandles = Handles<OpenMessage, threadsafe_message_cancel, threadsafe_message_close>;
using LockHandles = Handles<OpenLock, threadsafe_lock_cancel, threadsafe_lock_close>;
using PoolHandles = Handles<OpenPool, threadsafe_pool_cancel, threadsafe_pool_close>;

using Bytes = std::vector<unsigned char>;

inline constexpr u32 kSlotBytes = 8;

struct CapiQueue {
  CapiQueue(ElementType type, u32 slots, Overflow policy) : memory(lay_out(type, slots, policy)) {
    memory.header<QueueHeader>().geometry = geometry;
  }

  bool is_fixed() const { return !spans(geometry.type); }
  u32 slots_of(std::size_t bytes) const { return bytes <= kSlotBytes ? 1 : static_cast<u32>((bytes + kSlotBytes - 1) / kSlotBytes); }
  u32 used() const {
    u32 slots = 0;
    for (const Bytes& item : items) slots += slots_of(item.size());
    return slots;
  }

  // Puts, and returns the status. `waits` and `drops` say that the call is like threadsafe_put() or
  // threadsafe_put_or_drop().
  threadsafe_status put(const Bytes& item, bool waits, bool drops) {
    if (is_fixed() && item.size() != kSlotBytes) return THREADSAFE_WRONG_SIZE;
    if (item.size() > geometry.most_bytes()) return THREADSAFE_TOO_LARGE;
    if (closed) return THREADSAFE_CLOSED;
    const u32 slots = slots_of(item.size());
    if (used() + slots > geometry.capacity) {
      if (waits) return THREADSAFE_TIMEOUT;
      if (geometry.overflow == Overflow::reject) return drops ? THREADSAFE_DROPPED : THREADSAFE_FULL;
      if (geometry.overflow == Overflow::drop_newest) return THREADSAFE_DROPPED;
      while (used() + slots > geometry.capacity) items.pop_front();
    }
    items.push_back(item);
    return THREADSAFE_OK;
  }

  // Gets an item of up to `limit` bytes, and returns the status.
  threadsafe_status get(std::size_t limit, bool waits, Bytes& item) {
    if (is_fixed() && limit != kSlotBytes) return THREADSAFE_WRONG_SIZE;
    if (items.empty()) return closed ? THREADSAFE_CLOSED : waits ? THREADSAFE_TIMEOUT : THREADSAFE_EMPTY;
    item = items.front();
    if (item.size() > limit) return THREADSAFE_TOO_SMALL;
    items.pop_front();
    return THREADSAFE_OK;
  }

  Geometry geometry{};
  ObjectMemory memory;
  QueueHandles handles{[this] { return new OpenQueue(opener(), memory.header<QueueHeader>(), geometry, is_fixed() ? kSlotBytes : 0); }};
  std::deque<Bytes> items;
  bool closed = false;

 private:
  u64 lay_out(ElementType type, u32 slots, Overflow policy) {
    threadsafe::lay_out(geometry, type, slots, kSlotBytes);
    geometry.overflow = policy;
    return geometry.staging;
  }
};

struct CapiEvent {
  ObjectMemory memory{sizeof(EventHeader)};
  EventHandles handles{[this] { return new OpenEvent(opener(), memory.header<EventHeader>()); }};
  bool set = false;
};

inline constexpr u32 kRecordBytes = 24;

// A record, or a message of bytes.
template <class AllHandles, class Open>
struct CapiSnapshot {
  explicit CapiSnapshot(ElementType type) : memory(lay_out(type)) {
    memory.header<SnapshotHeader>().free.store((~u64{0} >> (kMostBuffers - geometry.count)) - 1, memory_order_relaxed);
  }

  SnapshotGeometry geometry{};
  ObjectMemory memory;
  AllHandles handles{[this] {
    if constexpr (std::is_same_v<Open, OpenMessage>) {
      return new OpenMessage(opener(), memory.header<SnapshotHeader>(), geometry, 0);
    } else {
      return new OpenRecord(opener(), memory.header<SnapshotHeader>(), geometry);
    }
  }};
  Bytes content = Bytes(kRecordBytes);
  u64 version = 0;

 private:
  u64 lay_out(ElementType type) {
    threadsafe::lay_out(geometry, type, kRecordBytes);
    return geometry.staging;
  }
};
using CapiRecord = CapiSnapshot<RecordHandles, OpenRecord>;
using CapiMessage = CapiSnapshot<MessageHandles, OpenMessage>;

struct CapiLock {
  ObjectMemory memory{sizeof(LockHeader)};
  LockHandles handles{[this] { return new OpenLock(opener(), memory.header<LockHeader>()); }};
};

inline constexpr u32 kPoolBuffers = 5;
inline constexpr u32 kPoolBytes = 40;

struct CapiPool {
  CapiPool() : memory(lay_out()) {}

  bool has(const std::vector<u32>& names, u32 name) const { return std::find(names.begin(), names.end(), name) != names.end(); }
  void move(std::vector<u32>& from, u32 name, std::vector<u32>* to, u32 as) {
    from.erase(std::find(from.begin(), from.end(), name));
    if (to) to->push_back(as);
  }

  PoolGeometry geometry{};
  ObjectMemory memory;
  PoolHandles handles{[this] { return new OpenPool(opener(), memory.header<PoolHeader>(), geometry); }};
  std::vector<u32> leases;
  std::vector<u32> tokens;

 private:
  u64 lay_out() {
    const u64 bytes = lay_out_pool(geometry, ElementType::bytes, kPoolBuffers, kPoolBytes);
    geometry.salt = 0x5a17'0000;
    return bytes - kOrigin;
  }
};

}  // namespace threadsafe::fuzz
