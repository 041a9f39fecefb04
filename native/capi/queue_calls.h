// The functions of queues. Part of calls.cc.
#pragma once

#include <cstring>

#include "../core/queue.h"
#include "calling.h"

namespace threadsafe {
namespace {

constexpr std::size_t kCell = 8;

threadsafe_status check_put(const OpenQueue& queue, std::size_t bytes) {
  if (queue.item_bytes == 0) return bytes <= queue.most_bytes ? THREADSAFE_OK : THREADSAFE_TOO_LARGE;
  return bytes == queue.item_bytes ? THREADSAFE_OK : THREADSAFE_WRONG_SIZE;
}

auto copy_in(const OpenQueue& queue, const void* item) {
  return [&queue, item](const Span& span) {
    if (span.bytes == kCell && span.slots == 1) {
      std::memcpy(queue.slots.payload(span.index), item, kCell);  // of a known length, this is one instruction
    } else if (span.bytes > 0) {
      queue.slots.copy_in(span, item);
    }
  };
}

// The caller's buffer for an item that is got.
struct Buffer {
  void* item;
  std::size_t bytes;
  std::size_t* item_bytes;

  threadsafe_status check(const OpenQueue& queue) const {
    return queue.item_bytes == 0 || bytes == queue.item_bytes ? THREADSAFE_OK : THREADSAFE_WRONG_SIZE;
  }

  // The longest message that is taken. An item of fixed size is always taken, as JavaScript may
  // have put a number as a message that is longer than the number.
  u32 limit(const OpenQueue& queue) const { return queue.item_bytes != 0 || bytes > ~u32{0} ? ~u32{0} : static_cast<u32>(bytes); }

  auto copy_out(const OpenQueue& queue) const {
    return [this, &queue](const Span& span) {
      const std::size_t length = queue.item_bytes != 0 ? queue.item_bytes : span.bytes;
      if (length == kCell && span.slots == 1) {
        std::memcpy(item, queue.slots.payload(span.index), kCell);
      } else if (queue.item_bytes != 0) {
        std::memcpy(item, queue.slots.payload(span.index), length);
      } else if (length > 0) {
        queue.slots.copy_out(span, item);
      }
      if (item_bytes) *item_bytes = length;
    };
  }

  template <class Wake>
  threadsafe_status public_status(const Queue<StridedSlots, Wake>& queue, Status status) const {
    if (status == Status::too_small && item_bytes) *item_bytes = queue.next_bytes();
    return threadsafe::public_status(status);
  }
};

template <class Wake>
Queue<StridedSlots, Wake> core_of(const OpenQueue& queue, Wake wake) {
  return {queue.header, queue.geometry, queue.slots, wake};
}

threadsafe_status offer(threadsafe_queue* handle, const void* item, std::size_t bytes, bool drop) {
  OpenQueue& queue = OpenQueue::of(handle);
  return signal_safe(queue, [&](auto wake) {
    if (const threadsafe_status wrong = check_put(queue, bytes)) return wrong;
    auto core = core_of(queue, wake);
    const Status status = core.offer(static_cast<u32>(bytes), copy_in(queue, item));
    if (status != Status::full || !drop) return public_status(status);
    core.count_dropped();
    return THREADSAFE_DROPPED;
  });
}

threadsafe_status try_put(threadsafe_queue* handle, const void* item, std::size_t bytes) { return offer(handle, item, bytes, false); }

threadsafe_status put_or_drop(threadsafe_queue* handle, const void* item, std::size_t bytes) { return offer(handle, item, bytes, true); }

threadsafe_status put(threadsafe_queue* handle, const void* item, std::size_t bytes, double milliseconds) {
  OpenQueue& queue = OpenQueue::of(handle);
  const Use use(queue.calls());
  if (!use) return THREADSAFE_CLOSED;
  if (const threadsafe_status wrong = check_put(queue, bytes)) return wrong;
  auto core = core_of(queue, ThreadWake{});
  const auto length = static_cast<u32>(bytes);
  const auto write = copy_in(queue, item);
  const Putter putter{queue.putter(), false};
  const bool waits = milliseconds != 0;
  const auto attempt = [&] { return waits ? core.attempt_waiting_put(putter, false, length, write) : core.attempt_put(length, write); };
  Status status = attempt();
  if (status == Status::ok || status == Status::closed) return public_status(status);
  const Deadline deadline = deadline_after(milliseconds);
  HeldBack held_back(queue.header, putter.number);
  const auto wait = [&] {
    CallParker parker(queue, queue.header.not_full, deadline, queue.item_bytes == 0 ? &held_back : nullptr);
    parker.keep_off_for(queue.geometry.capacity);
    return core.put(parker, putter.number, length, write);
  };
  if (waits) status = put_heeding_token(held_back, wait, [&] { return core.put_past_token(length, write); });
  CallParker parker(queue, queue.header.not_full, deadline);
  if (status == Status::busy) status = queue.stuck.settle_put(core, parker.patience(), attempt);
  return public_status(status == Status::full ? Status::timeout : status);
}

threadsafe_status try_get(threadsafe_queue* handle, void* item, std::size_t bytes, std::size_t* item_bytes) {
  OpenQueue& queue = OpenQueue::of(handle);
  const Buffer buffer{item, bytes, item_bytes};
  return signal_safe(queue, [&](auto wake) {
    if (const threadsafe_status wrong = buffer.check(queue)) return wrong;
    auto core = core_of(queue, wake);
    return buffer.public_status(core, core.try_get(buffer.limit(queue), buffer.copy_out(queue)));
  });
}

threadsafe_status get(threadsafe_queue* handle, void* item, std::size_t bytes, std::size_t* item_bytes, double milliseconds) {
  OpenQueue& queue = OpenQueue::of(handle);
  const Buffer buffer{item, bytes, item_bytes};
  const Use use(queue.calls());
  if (!use) return THREADSAFE_CLOSED;
  if (const threadsafe_status wrong = buffer.check(queue)) return wrong;
  auto core = core_of(queue, ThreadWake{});
  const u32 limit = buffer.limit(queue);
  const auto read = buffer.copy_out(queue);
  const auto attempt = [&] { return core.attempt_get(limit, read); };
  Status status = attempt();
  if (status != Status::empty && status != Status::busy) return buffer.public_status(core, status);
  CallParker parker(queue, queue.header.not_empty, deadline_after(milliseconds));
  if (milliseconds != 0) status = core.get(parker, limit, read);
  if (status == Status::busy) status = queue.stuck.settle_get(core, parker.patience(), attempt);
  return buffer.public_status(core, status == Status::empty ? Status::timeout : status);
}

threadsafe_status queue_end(threadsafe_queue* handle) {
  OpenQueue& queue = OpenQueue::of(handle);
  return signal_safe(queue, [&](auto wake) {
    core_of(queue, wake).close();
    return THREADSAFE_OK;
  });
}

threadsafe_status queue_cancel(threadsafe_queue* queue) {
  OpenQueue::of(queue).cancel();
  return THREADSAFE_OK;
}

threadsafe_status queue_close(threadsafe_queue* queue) {
  OpenQueue::of(queue).close();
  return THREADSAFE_OK;
}

}  // namespace
}  // namespace threadsafe
