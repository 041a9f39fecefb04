// The common part of the modules of queues: their queue, its wakes, this thread's staging area, and
// waiting for a moment.
#pragma once

#include "../core/queue.h"
#include "module.h"
#include "spinning.h"

namespace threadsafe {
namespace {  // one translation unit is one module

QueueHeader& queue_header() { return header<QueueHeader>(); }
// The geometry in the memory. WebAssembly can't reach beyond that memory, whatever the geometry
// says.
const Geometry& geometry() { return queue_header().geometry; }

// The addon knows whether one putter can stand in for another.
struct QueueWake {
  void one(WaitList& list) { wake(static_cast<int>(&list == &queue_header().not_empty ? WaitFor::item : WaitFor::room)); }
  void all(WaitList& list) { one(list); }
};

std::byte* staging(u32 area) { return reinterpret_cast<std::byte*>(&queue_header()) + geometry().staging + area * kStagingBytes; }

// A WebAssembly global (that is what address space 1 means to clang), so that each thread has its
// own.
__attribute__((address_space(1))) u32 idled;

void pause(u32 rounds) { idled = idle(rounds, idled); }

// The number of this thread's waits, at both ends of the queue; see spinning.h.
__attribute__((address_space(1))) u32 waits;
__attribute__((address_space(1))) bool items_stream;
__attribute__((address_space(1))) bool room_streams;

// Pauses until there should be many items, if others are streaming, or to find out whether they
// are. Returns whether there are many, by amount().
template <class Amount>
bool pause_for_many(bool streaming, Amount&& amount) {
  if (!streaming && ++waits % kProbeInterval != 0) return false;
  const u32 for_queue = geometry().capacity * kStreamingPausePerSlot;
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

// Makes a blocking get, or put, wait for a moment before it goes to the addon. Returns whether it
// should try once more.
template <class AnyQueue>
bool spin_for_item(AnyQueue&& queue) {
  items_stream = pause_for_many(items_stream, [&] { return queue.size(); });
  return look_often([&] { return queue.has_item(); });
}
template <class AnyQueue, class Room>
bool spin_for_room(AnyQueue&& queue, Room&& room) {
  room_streams = pause_for_many(room_streams, room);
  return look_often([&] { return !queue.full(); });
}

int done_or(Status status, u32 done) { return status == Status::ok ? static_cast<int>(done) : -static_cast<int>(status); }

}  // namespace
}  // namespace threadsafe
