#include "doorbell.h"

#include <atomic>
#include <thread>

#include "../core/use_count.h"
#include "process_wide.h"

namespace threadsafe {

struct THREADSAFE_PROCESS_WIDE Doorbell {
  // Leaves the list's address in `lists`, if there is room.
  void note(const WaitList& list) {
    for (std::atomic<const WaitList*>& place : lists) {
      const WaitList* there = place.load(std::memory_order_relaxed);  // a guess, checked by the compare-exchange
      if (there && there != &list) continue;
      // Release, and a read-modify-write even where it changes nothing: the loop that takes this
      // address sees the change that it was rung for.
      do {
        if (place.compare_exchange_weak(there, &list, std::memory_order_release, std::memory_order_relaxed)) return;
      } while (!there || there == &list);
    }
    everything.exchange(true, std::memory_order_release);  // the same
  }

  std::atomic<bool> taken{false};
  UseCount ringers;  // counts its users in other threads; open as long as the handle is
  std::atomic<const WaitList*> lists[kRungLists]{};
  std::atomic<bool> everything{false};
  uv_async_t async{};
  void (*on_ring)(void* data) = nullptr;
  void (*closed)(void* data) = nullptr;
  void* data = nullptr;
  bool tells_idle = false;
};

template <u32 version>
struct THREADSAFE_PROCESS_WIDE DoorbellTable {
  // Zero-initialised before any code runs, as a signal handler may look at it at any time.
  static constinit inline Doorbell doorbells[kMaxLoops];
};

namespace {

constexpr auto& doorbells = DoorbellTable<kProcessVersion>::doorbells;

Doorbell& of(uv_handle_t* handle) { return *static_cast<Doorbell*>(handle->data); }

u32 reserve() {
  for (u32 number = 0; number < kMaxLoops; number++) {
    // Acquire: what the last loop wrote to the doorbell happened before. A load first: the first
    // ones are mostly taken.
    std::atomic<bool>& taken = doorbells[number].taken;
    if (!taken.load(std::memory_order_relaxed) && !taken.exchange(true, std::memory_order_acquire)) return number;
  }
  return kNoDoorbell;
}

}  // namespace

u64 doorbell_table_id() { return reinterpret_cast<std::uintptr_t>(doorbells); }

u32 open_doorbell(uv_loop_t* loop, bool tells_idle, void (*on_ring)(void* data), void* data) {
  const u32 number = reserve();
  if (number == kNoDoorbell) return kNoDoorbell;
  Doorbell& bell = doorbells[number];
  const auto rung = [](uv_async_t* async) {
    Doorbell& bell = of(reinterpret_cast<uv_handle_t*>(async));
    bell.on_ring(bell.data);
  };
  if (uv_async_init(loop, &bell.async, rung) != 0) {
    bell.taken.store(false, std::memory_order_release);
    return kNoDoorbell;
  }
  bell.async.data = &bell;
  bell.on_ring = on_ring;
  bell.data = data;
  bell.tells_idle = tells_idle;
  take_rung(number);  // discards rings for the loop that had it before
  uv_unref(reinterpret_cast<uv_handle_t*>(&bell.async));
  bell.ringers.open();
  return number;
}

void ring_doorbell(u32 number, const WaitList* list) {
  Doorbell& bell = doorbells[number];
  const Use use(bell.ringers);
  if (!use) return;
  if (list) bell.note(*list);
  // Before libuv 1.53 uv_async_send begins with a plain load of its pending flag, which must not
  // pass what was published before the ring, or a ring that is merged into an earlier one may be
  // served too early (libuv issue 4584).
  std::atomic_thread_fence(std::memory_order_seq_cst);
  uv_async_send(&bell.async);
}

// libuv counts how long the loop has slept in its poll phase, up to this moment if it does so now.
// While callbacks of that phase run, the count stands still, as it does everywhere else, and for a
// loop that does not count. Node has its own loops count.
bool is_loop_idle(u32 number) {
  Doorbell& bell = doorbells[number];
  const Use use(bell.ringers);
  if (!use || !bell.tells_idle) return false;
  const u64 slept = uv_metrics_idle_time(bell.async.loop);
  if (slept == 0) return false;
  const u64 now = uv_hrtime();
  while (uv_hrtime() == now) {
  }
  return uv_metrics_idle_time(bell.async.loop) > slept;
}

Rung take_rung(u32 number) {
  Doorbell& bell = doorbells[number];
  Rung rung;
  // Against the fence in ring_doorbell(): what is noted after the loads below is followed by a ring
  // of its own.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // Acquire: see note(). A load first, as most places are empty.
  for (std::atomic<const WaitList*>& place : bell.lists) {
    if (!place.load(std::memory_order_relaxed)) continue;
    rung.lists[rung.count++] = place.exchange(nullptr, std::memory_order_acquire);
  }
  rung.everything = bell.everything.load(std::memory_order_relaxed) && bell.everything.exchange(false, std::memory_order_acquire);
  return rung;
}

void keep_loop_alive(u32 number, bool alive) {
  auto* const handle = reinterpret_cast<uv_handle_t*>(&doorbells[number].async);
  if (alive) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void close_doorbell(u32 number, void (*closed)(void* data), void* data) {
  Doorbell& bell = doorbells[number];
  bell.ringers.retire(std::this_thread::yield);
  bell.closed = closed;
  bell.data = data;
  uv_close(reinterpret_cast<uv_handle_t*>(&bell.async), [](uv_handle_t* handle) {
    Doorbell& bell = of(handle);
    const auto closed = bell.closed;
    void* const data = bell.data;
    // Release: the next loop's acquire in reserve() comes after all this.
    bell.taken.store(false, std::memory_order_release);
    closed(data);
  });
}

}  // namespace threadsafe
