#include "doorbell.h"

#include <atomic>
#include <thread>

#include "process_wide.h"

namespace threadsafe {

struct THREADSAFE_PROCESS_WIDE Doorbell {
  enum State : u32 { kFree, kReserved, kOpen };

  // Leaves the list's address in `lists`, if there is room.
  void note(const WaitList& list) {
    for (std::atomic<const WaitList*>& place : lists) {
      const WaitList* there = place.load(std::memory_order_relaxed);  // a guess, checked by the compare-exchange
      if (there && there != &list) continue;
      // Release, and a read-modify-write even where it changes nothing: the loop that takes this address sees the change that it was rung
      // for.
      do {
        if (place.compare_exchange_weak(there, &list, std::memory_order_release, std::memory_order_relaxed)) return;
      } while (!there || there == &list);
    }
    everything.exchange(true, std::memory_order_release);  // the same
  }

  std::atomic<u32> state{kFree};
  std::atomic<u32> ringers{0};
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

// Whoever uses a doorbell from another thread, counted, so that its handle is not closed meanwhile.
class Ringer {
 public:
  // Sequentially consistent, with the closer's store and load: either the closer sees this ringer, or this ringer sees it closed.
  explicit Ringer(Doorbell& bell) : bell_(bell) { bell.ringers.fetch_add(1, std::memory_order_seq_cst); }
  // Release: the closer, who sees the count fall, closes the handle after this ringer's use of it.
  ~Ringer() { bell_.ringers.fetch_sub(1, std::memory_order_release); }
  Ringer(const Ringer&) = delete;
  Ringer& operator=(const Ringer&) = delete;
  bool open() const { return bell_.state.load(std::memory_order_seq_cst) == Doorbell::kOpen; }

 private:
  Doorbell& bell_;
};

Doorbell& of(uv_handle_t* handle) { return *static_cast<Doorbell*>(handle->data); }

u32 reserve() {
  for (u32 number = 0; number < kMaxLoops; number++) {
    u32 expected = Doorbell::kFree;
    // Acquire: what the last user wrote to the doorbell happened before.
    if (doorbells[number].state.compare_exchange_strong(expected, Doorbell::kReserved, std::memory_order_acquire)) return number;
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
    bell.state.store(Doorbell::kFree, std::memory_order_release);
    return kNoDoorbell;
  }
  bell.async.data = &bell;
  bell.on_ring = on_ring;
  bell.data = data;
  bell.tells_idle = tells_idle;
  take_rung(number);  // for the loop that had it before
  uv_unref(reinterpret_cast<uv_handle_t*>(&bell.async));
  // Release: a ringer that sees it open sees the handle.
  bell.state.store(Doorbell::kOpen, std::memory_order_release);
  return number;
}

void ring_doorbell(u32 number, const WaitList* list) {
  Doorbell& bell = doorbells[number];
  const Ringer ringer(bell);
  if (!ringer.open()) return;
  if (list) bell.note(*list);
  // Before libuv 1.53 uv_async_send begins with a plain load of its pending flag, which must not pass what was published before the
  // ring, or a ring that is merged into an earlier one may be answered too early (libuv issue 4584).
  std::atomic_thread_fence(std::memory_order_seq_cst);
  uv_async_send(&bell.async);
}

// libuv counts how long the loop has slept in its poll phase, up to this moment if it does so now. While callbacks of that phase run, the
// count stands still, as it does everywhere else, and for a loop that was not told to count, as Node tells its own.
bool is_loop_idle(u32 number) {
  Doorbell& bell = doorbells[number];
  const Ringer ringer(bell);
  if (!ringer.open() || !bell.tells_idle) return false;
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
  // Against the fence in ring_doorbell(): what is noted after the loads below is followed by a ring of its own.
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
  bell.state.store(Doorbell::kReserved, std::memory_order_seq_cst);
  while (bell.ringers.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  bell.closed = closed;
  bell.data = data;
  uv_close(reinterpret_cast<uv_handle_t*>(&bell.async), [](uv_handle_t* handle) {
    Doorbell& bell = of(handle);
    const auto closed = bell.closed;
    void* const data = bell.data;
    // Release: the next user's acquire in reserve() comes after all this.
    bell.state.store(Doorbell::kFree, std::memory_order_release);
    closed(data);
  });
}

}  // namespace threadsafe
