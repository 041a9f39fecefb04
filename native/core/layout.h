// Every offset, bit and limit of the shared memory, once.
//
// One object owns one memory, in which it looks like this (a line is 128 bytes: two cache lines,
// since x86 fetches them in pairs and some arm64 cores have lines that long):
//
//     byte 0     unused: C++ lets no object live at address 0, where WebAssembly's memory begins
//     byte 128   Header: what the object is, and a queue's Geometry; written once, before the object is shared
//     then       queue: tail | head | not_empty | not_full | counters | all_done, each on lines of its own, then the slots, then the
//     staging areas
//                event: word | waiters
//                record, message: SnapshotGeometry | current | free, retries | changed, then the buffers, then the staging areas
//                lock: word, reservation | waiters
//                pool: waiters, then the maps, the words and the buffers
//
// A queue has two forms of slots. A type of fixed size has stamp and payload side by side, so that
// an 8-byte element shares a cache line with its stamp; a type of any size has all stamps first and
// all payloads after them, so that a message that spans slots is contiguous, but for the one place
// where the ring wraps.
//
// Items pass between JavaScript and the slots through a staging area, a part of this memory that
// belongs to one thread: WebAssembly reaches nothing else. Each thread has the same place in every
// queue (native/platform/staging_area.h); threads that find none left go through the addon. Areas
// that are never used cost address space alone.
//
// Zeroed memory is a valid ring at lap 0: creating a queue touches none of its slots, however many
// there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "atomic.h"

namespace threadsafe {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

inline constexpr std::size_t kLine = 128;
inline constexpr std::size_t kOrigin = kLine;  // where the Header lies in the memory
inline constexpr u64 kMaxBytes = u64{1} << 32;
inline constexpr u32 kMaxSlots = u32{1} << 28;     // leaves a position three bits for the lap
inline constexpr u64 kMagic = 0x6566617364726874;  // "thrdsafe"
inline constexpr u32 kLayoutVersion = 7;
#ifndef THREADSAFE_MAX_LOOPS  // a model has fewer
#define THREADSAFE_MAX_LOOPS 1024
#endif
inline constexpr u32 kMaxLoops = THREADSAFE_MAX_LOOPS;  // event loops that wait natively at one time, in one process
inline constexpr u32 kPageBytes = 65536;                // WebAssembly's unit of memory
inline constexpr u32 kScratchBytes = 65536;             // of the buffer that a thread's messages pass through; longer ones have their own
inline constexpr u32 kStagingAreas = 32;                // threads that may have one, in one process
inline constexpr u32 kStagingBytes = 8192;              // of an area
inline constexpr u32 kHeadBytes = 8;                    // in front of an item, to tell how it is encoded

// Several messages in an area by one call; see native/wasm/message.cc.
inline constexpr u32 kMostTogether = 256;
inline constexpr u32 kTogetherBytes = kMostTogether * 4;  // for their lengths, before them
inline constexpr u32 kWide = u32{1} << 31;                // is added to the length of a text whose characters take two bytes

enum class Kind : u32 { queue = 1, event = 2, record = 3, message = 4, lock = 5, pool = 6 };

enum class Overflow : u32 { reject = 0, drop_newest = 1, drop_oldest = 2 };

enum class ElementType : u32 {
  any,
  string,
  bytes,
  boolean,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  bigint64,
  biguint64,
  float32,
  float64,
  record,
  array
};

// The head that the encodings of lib/codec put in front of an item. A slot has room for it besides
// the item's own bytes. Its length keeps what follows aligned.
constexpr u32 head_bytes(ElementType type) { return type == ElementType::any || type == ElementType::string ? kHeadBytes : 0; }

// Types whose items have no fixed size and may span slots.
constexpr bool spans(ElementType type) { return type == ElementType::any || type == ElementType::string || type == ElementType::bytes; }

// Types whose items are cells: a number, a bigint, a boolean.
constexpr bool is_cell(ElementType type) { return !spans(type) && type < ElementType::record; }

struct Header {
  u64 magic;
  u32 version;
  Kind kind;
  u64 owner;  // which copy of the addon wakes for this object; see native/platform/doorbell.h
};

// One side of an object that can be waited for. wait.h says what its words mean, and who may change
// them.
struct WaitList {
  alignas(kLine) Atomic<u64> state;
  Atomic<u32> calls;  // asynchronous calls that wait, of all loops: for statistics alone
  alignas(kLine) Atomic<u64> loops[kMaxLoops / 64];
};

// The numbers, in JavaScript and WebAssembly, of the lists at which calls wait for an item or for
// room.
enum class WaitFor : u32 { item, room };

// What a queue holds and where. Its creator writes it once. JavaScript reaches the memory and may
// write over it at any time, so the addon checks the geometry when it opens a queue, and keeps a
// copy outside the memory (checked_geometry).
struct Geometry {
  ElementType type;
  Overflow overflow;
  u32 capacity;        // slots
  u32 index_bits;      // how many bits of a position are the index
  u32 item_bytes;      // an item of so many bytes takes one slot; each so many more, another
  u32 stamp_stride;    // bytes from one slot's stamp to the next
  u32 payload_stride;  // bytes from one slot's payload to the next
  u32 stamps;          // offset of the first stamp from the QueueHeader
  u32 payloads;        // offset of the first payload from the QueueHeader
  u32 staging;         // offset of the first staging area from the QueueHeader

  // The longest message that the whole queue can hold.
  u64 most_bytes() const { return spans(type) ? u64{capacity} * item_bytes + head_bytes(type) : item_bytes; }
};

struct QueueHeader {
  Header object;
  Geometry geometry;
  alignas(kLine) Atomic<u64> tail;  // next position to put at; see ring.h
  alignas(kLine) Atomic<u64> head;  // next position to get from
  WaitList not_empty;
  WaitList not_full;
  alignas(kLine) Atomic<u64> token;  // the waiting put that has priority, 0 if none; see token.h
  Atomic<u32> dropped;               // items lost to the overflow policy, or by a signal handler to a full queue
  Atomic<u32> evicted;               // those of them that were in the queue, and made room for another
  Atomic<u32> discarded;             // items dropped by clear, or by a discarding close
  Atomic<u32> done;                  // items got that were reported done
  Atomic<u64> last_all_done;         // when joins were last woken, as no item was unfinished; see unfinished.h
  WaitList all_done;                 // event loops whose joins wait; no thread blocks there
};

struct EventHeader {
  Header object;
  alignas(kLine) Atomic<u64> word;  // see event.h
  WaitList waiters;
};

// Where the buffers of a record or a message lie; written once and checked like a Geometry. Each
// buffer has a stamp, the length of its content and the content, in words of 8 bytes.
struct SnapshotGeometry {
  ElementType type;
  u32 bytes;    // the longest content
  u32 count;    // buffers
  u32 stride;   // bytes from one buffer to the next
  u32 buffers;  // offset of the first buffer from the SnapshotHeader
  u32 staging;  // offset of the first staging area from the SnapshotHeader
};

struct SnapshotHeader {
  Header object;
  SnapshotGeometry geometry;
  alignas(kLine) Atomic<u64> current;  // the version that counts, and its buffer; see record.h
  alignas(kLine) Atomic<u64> free;     // a bit for each buffer that is neither current nor being written
  Atomic<u32> retries;                 // reads that were repeated
  WaitList changed;
};

struct LockHeader {
  Header object;
  alignas(kLine) Atomic<u64> word;  // see lock.h
  Atomic<u64> reservation;
  WaitList waiters;
};

// What a pool holds and where, as a queue's Geometry. Offsets are from the PoolHeader.
struct PoolGeometry {
  ElementType type;  // of a buffer's elements: a number's, or bytes
  u32 count;         // buffers
  u32 bytes;         // of each
  u32 index_bits;    // of a lease's name
  u32 salt;          // what names are mixed with before others see them, so that those of another pool are good for nothing
  u32 maps;          // offset of the first map
  u32 words;         // offset of the first buffer's word
  u32 buffers;       // offset of the first buffer
  u32 stride;        // bytes from one buffer to the next
};

struct PoolHeader {
  Header object;
  PoolGeometry geometry;
  WaitList waiters;
};

#ifndef THREADSAFE_BUFFERS_PER_MAP  // a model has fewer
#define THREADSAFE_BUFFERS_PER_MAP 32
#endif
inline constexpr u32 kBuffersPerMap = THREADSAFE_BUFFERS_PER_MAP;
inline constexpr u32 kCachePage = 4096;
inline constexpr u32 kMostPoolBuffers = u32{1} << 16;

constexpr u32 pool_maps(u32 count) { return (count + kBuffersPerMap - 1) / kBuffersPerMap; }

inline constexpr u32 kStampBytes = 8;
inline constexpr u32 kLengthBytes = 8;  // in front of a buffer's content, and of the same in a staging area

inline constexpr u32 kIndexBits = 6;  // of `current`
inline constexpr u32 kMostBuffers = u32{1} << kIndexBits;
inline constexpr u32 kFewestBuffers = 16;
inline constexpr u32 kUsualBufferBytes = 65536;  // of all buffers together, where that allows for more than the fewest

#ifndef THREADSAFE_ATOMIC_HEADER  // a model's atomics have another size
// The addon and WebAssembly must agree on every offset. No pointer and no `long` is in these
// structures, and an atomic word of 64 bits is aligned to 8 bytes, also where the processor or the
// engine has 32 bits. There an atomic of 64 bits must still be lock-free: WebAssembly would not take
// a lock of the C++ library's.
static_assert(sizeof(Atomic<u64>) == kStampBytes && sizeof(Atomic<u32>) == 4);
static_assert(alignof(Atomic<u64>) == 8 && alignof(Atomic<u32>) == 4);
static_assert(Atomic<u64>::is_always_lock_free && Atomic<u32>::is_always_lock_free);
static_assert(sizeof(Header) == 24 && sizeof(WaitList) == 2 * kLine);
static_assert(offsetof(WaitList, calls) == 8 && offsetof(WaitList, loops) == kLine);
static_assert(offsetof(QueueHeader, tail) == 1 * kLine);
static_assert(offsetof(QueueHeader, head) == 2 * kLine);
static_assert(offsetof(QueueHeader, not_empty) == 3 * kLine);
static_assert(offsetof(QueueHeader, not_full) == 5 * kLine);
static_assert(offsetof(QueueHeader, token) == 7 * kLine);
static_assert(offsetof(QueueHeader, dropped) == 7 * kLine + 8 && offsetof(QueueHeader, evicted) == 7 * kLine + 12);
static_assert(offsetof(QueueHeader, discarded) == 7 * kLine + 16 && offsetof(QueueHeader, done) == 7 * kLine + 20);
static_assert(offsetof(QueueHeader, last_all_done) == 7 * kLine + 24);
static_assert(offsetof(QueueHeader, all_done) == 8 * kLine);
static_assert(sizeof(QueueHeader) == 10 * kLine);
static_assert(offsetof(EventHeader, word) == 1 * kLine && offsetof(EventHeader, waiters) == 2 * kLine);
static_assert(sizeof(EventHeader) == 4 * kLine);
static_assert(offsetof(SnapshotHeader, current) == 1 * kLine && offsetof(SnapshotHeader, free) == 2 * kLine);
static_assert(offsetof(SnapshotHeader, changed) == 3 * kLine && sizeof(SnapshotHeader) == 5 * kLine);
static_assert(offsetof(SnapshotHeader, geometry) == 24 && sizeof(SnapshotGeometry) == 24, "the same in WebAssembly");
static_assert(offsetof(SnapshotHeader, retries) == 2 * kLine + 8);
static_assert(offsetof(LockHeader, word) == 1 * kLine && offsetof(LockHeader, reservation) == 1 * kLine + 8);
static_assert(offsetof(LockHeader, waiters) == 2 * kLine && sizeof(LockHeader) == 4 * kLine);
static_assert(offsetof(PoolHeader, waiters) == 1 * kLine);
static_assert(sizeof(PoolHeader) == 3 * kLine);
static_assert(offsetof(PoolHeader, geometry) == 24 && sizeof(PoolGeometry) == 36, "the same in WebAssembly");
static_assert(offsetof(QueueHeader, geometry) == 24 && sizeof(Geometry) == 40, "the same in WebAssembly, where pointers are shorter");
#endif

// The slots of an 8-byte element, whose strides are known when compiling: the WebAssembly build's
// hot path.
inline constexpr u32 kCellStride = kStampBytes + 8;

constexpr u32 round_up(u32 bytes, u32 unit) { return (bytes + unit - 1) / unit * unit; }

// The geometry of a queue of `capacity` slots of `item_bytes`, written to `queue`; returns the
// bytes of memory it needs, origin included, or 0 where that is more than a memory can have.
inline u64 lay_out(Geometry& queue, ElementType type, u32 capacity, u32 item_bytes) {
  const u32 payload_stride = round_up(item_bytes + head_bytes(type), 8);
  queue.type = type;
  queue.capacity = capacity;
  queue.index_bits = 0;
  while ((u64{1} << queue.index_bits) < capacity) queue.index_bits++;
  queue.item_bytes = item_bytes;
  queue.stamps = sizeof(QueueHeader);
  u64 end;
  if (spans(type)) {
    queue.stamp_stride = kStampBytes;
    queue.payload_stride = payload_stride;
    const u64 payloads = u64{queue.stamps} + u64{capacity} * kStampBytes;
    queue.payloads = static_cast<u32>(payloads);
    end = payloads + u64{capacity} * payload_stride;
  } else {
    queue.stamp_stride = queue.payload_stride = kStampBytes + payload_stride;
    queue.payloads = queue.stamps + kStampBytes;
    end = queue.stamps + u64{capacity} * queue.stamp_stride;
  }
  end = (end + kLine - 1) / kLine * kLine;
  queue.staging = static_cast<u32>(end);
  end += u64{kStagingAreas} * kStagingBytes;
  const u64 bytes = kOrigin + end;
  return bytes <= kMaxBytes ? bytes : 0;
}

// The geometry of a record or a message whose content takes at most `content_bytes`; the rest as for
// a queue.
inline u64 lay_out(SnapshotGeometry& snapshot, ElementType type, u32 content_bytes) {
  const u64 stride = (u64{kStampBytes} + kLengthBytes + content_bytes + kLine - 1) / kLine * kLine;
  const u64 usual = kUsualBufferBytes / stride;
  snapshot.type = type;
  snapshot.bytes = content_bytes;
  snapshot.count = static_cast<u32>(usual < kFewestBuffers ? kFewestBuffers : usual < kMostBuffers ? usual : kMostBuffers);
  snapshot.stride = static_cast<u32>(stride);
  snapshot.buffers = sizeof(SnapshotHeader);
  const u64 end = snapshot.buffers + snapshot.count * stride;
  snapshot.staging = static_cast<u32>(end);
  const u64 bytes = kOrigin + end + u64{kStagingAreas} * kStagingBytes;
  return bytes <= kMaxBytes ? bytes : 0;
}

// Each word is read once, as others may be writing over it.
template <class AnyGeometry>
void copy_geometry(const AnyGeometry& from, AnyGeometry& to) {
  u32 words[sizeof to / sizeof(u32)];
  const volatile u32* const found = reinterpret_cast<const u32*>(&from);
  for (std::size_t k = 0; k < sizeof words / sizeof *words; k++) words[k] = found[k];
  std::memcpy(&to, words, sizeof to);
}

// Copies the geometry of a queue whose memory has `memory_bytes`. False unless it is what lay_out()
// makes, and lies within that memory: then whatever is later read by it does, too.
inline bool checked_geometry(const QueueHeader& queue, u64 memory_bytes, Geometry& geometry) {
  copy_geometry(queue.geometry, geometry);
  if (geometry.type > ElementType::array || geometry.overflow > Overflow::drop_oldest) return false;
  if (geometry.capacity == 0 || geometry.capacity > kMaxSlots) return false;
  if (geometry.item_bytes == 0 || geometry.item_bytes > kMaxBytes / 2) return false;
  if (is_cell(geometry.type) && geometry.item_bytes != kCellStride - kStampBytes) return false;
  Geometry expected{};
  const u64 bytes = lay_out(expected, geometry.type, geometry.capacity, geometry.item_bytes);
  expected.overflow = geometry.overflow;
  return bytes != 0 && bytes <= memory_bytes && std::memcmp(&expected, &geometry, sizeof geometry) == 0;
}

// The same for a record or a message.
inline bool checked_geometry(const SnapshotHeader& snapshot, u64 memory_bytes, SnapshotGeometry& geometry) {
  copy_geometry(snapshot.geometry, geometry);
  if (geometry.type > ElementType::array || geometry.bytes == 0) return false;
  SnapshotGeometry expected{};
  const u64 bytes = lay_out(expected, geometry.type, geometry.bytes);
  return bytes != 0 && bytes <= memory_bytes && std::memcmp(&expected, &geometry, sizeof geometry) == 0;
}

// The geometry of a pool, written to `pool`; returns the bytes of memory that it needs, origin
// included, or 0 where that is more than a memory can have.
inline u64 lay_out_pool(PoolGeometry& pool, ElementType type, u32 count, u32 bytes) {
  pool.type = type;
  pool.count = count;
  pool.bytes = bytes;
  pool.index_bits = 0;
  while ((u32{1} << pool.index_bits) < count) pool.index_bits++;
  pool.maps = sizeof(PoolHeader);
  pool.words = round_up(pool.maps + pool_maps(count) * u32{sizeof(u64)}, kLine);
  pool.buffers = pool.words + count * u32{kLine};
  u64 stride = (u64{bytes} + kLine - 1) / kLine * kLine;
  // At multiples of a page the beginnings of all buffers would share a few sets of the caches.
  if (stride % kCachePage == 0) stride += kLine;
  pool.stride = static_cast<u32>(stride);
  const u64 end = kOrigin + pool.buffers + count * stride;
  return end <= kMaxBytes ? end : 0;
}

// As checked_geometry().
inline bool checked_pool(const PoolHeader& pool, u64 memory_bytes, PoolGeometry& geometry) {
  copy_geometry(pool.geometry, geometry);
  if (geometry.type != ElementType::bytes && (!is_cell(geometry.type) || geometry.type == ElementType::boolean)) return false;
  if (geometry.count == 0 || geometry.count > kMostPoolBuffers) return false;
  if (geometry.bytes == 0 || geometry.bytes > kMaxBytes / 2) return false;
  PoolGeometry expected{};
  const u64 bytes = lay_out_pool(expected, geometry.type, geometry.count, geometry.bytes);
  expected.salt = geometry.salt;
  return bytes != 0 && bytes <= memory_bytes && std::memcmp(&expected, &geometry, sizeof geometry) == 0;
}

}  // namespace threadsafe
