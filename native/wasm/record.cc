// The module of a record and of a message. Content passes through this thread's staging area.
// Content that was read has its length in front, as in the buffers. JavaScript gets a version with
// the set bit as the lowest, or a negated status.
#include "../core/record.h"

#include "../core/buffers.h"
#include "module.h"

namespace {

using namespace threadsafe;

struct RecordWake {
  void all(WaitList&) { wake(0); }
};

SnapshotHeader& record_header() { return header<SnapshotHeader>(); }
// The geometry in the memory. WebAssembly can't reach beyond that memory, whatever the geometry
// says.
const SnapshotGeometry& geometry() { return record_header().geometry; }

auto record() { return Snapshot(record_header(), buffers_in(record_header(), geometry()), RecordWake{}); }

u64* staging(u32 area) {
  return reinterpret_cast<u64*>(reinterpret_cast<std::byte*>(&record_header()) + geometry().staging + area * kStagingBytes);
}

// The length and the content of a buffer.
Atomic<u64>* words(u32 index) {
  std::byte* const first = reinterpret_cast<std::byte*>(&record_header()) + geometry().buffers;
  return reinterpret_cast<Atomic<u64>*>(first + index * geometry().stride + kStampBytes);
}

constexpr u32 kMostStaged = kStagingBytes - kLengthBytes;

u32 most_bytes() { return geometry().bytes < kMostStaged ? geometry().bytes : kMostStaged; }

u64 told(u64 word) { return word / kMessageSet; }
double told_or(Status status, u64 word) { return status == Status::ok ? static_cast<double>(told(word)) : -static_cast<double>(status); }

// Up to this many words, copying them costs less than a call that copies memory.
constexpr u32 kMostWords = 8;

template <u32 kWords>
void copy_words(Atomic<u64>* to, const u64* from, u32 bytes) {
  if constexpr (kWords > 0) {
    if (bytes == 0) return;
    store_relaxed(*to, *from);
    copy_words<kWords - 1>(to + 1, from + 1, bytes > sizeof(u64) ? bytes - sizeof(u64) : 0);
  }
}

}  // namespace

// Copies the newest content to that staging area. Returns `too_small` if it is longer than the
// area.
EXPORT("read") double read(u32 area) {
  u64* const to = staging(area);
  u64 word;
  u64 length;
  Status status;
  do {
    status = record().try_read(word, [&](u32 index) {
      const Atomic<u64>* const from = words(index);
      length = from[0].load(memory_order_acquire);  // as the content
      const u32 bytes = length < most_bytes() ? static_cast<u32>(length) : most_bytes();
      // Acquire, as in WordBuffers::read(). Nothing is claimed here, so a thread may end in the
      // loop.
      for (u32 k = 1; k <= (bytes + 7) / 8; k++) to[k] = from[k].load(memory_order_acquire);
    });
  } while (status == Status::busy);
  if (status == Status::ok && length > geometry().bytes) status = Status::damaged;
  if (status == Status::ok && length > kMostStaged) status = Status::too_small;
  to[0] = length;
  return told_or(status, word);
}

// Makes one try to publish the content of that length in that staging area. It becomes the version
// after `after`, which is in the form that read() returns, or after whatever is current if `after`
// is negative. Returns `busy` if `after` is not current any more. `fenced` is for processors that
// may store ordinary words before an atomic one that precedes them. x64 does not, and a fence costs
// half a write.
EXPORT("write") double write(u32 area, u32 length, double after, int fenced) {
  const u64* const from = staging(area) + 1;
  const u32 bytes = length < most_bytes() ? length : most_bytes();
  u64 word = record().begin();
  if (after >= 0 && static_cast<double>(told(word)) != after) return -static_cast<double>(Status::busy);
  const auto fill = [=](u32 index) {
    // No word may be stored before the stamp is gone: see record.h.
    if (fenced) std::atomic_thread_fence(std::memory_order_seq_cst);
    Atomic<u64>* const to = words(index);
    // Ordinary stores, here and below: the atomic ones of try_write() that follow publish them.
    store_relaxed(to[0], bytes);
    if (bytes <= kMostWords * sizeof(u64)) return copy_words<kMostWords>(to + 1, from, bytes);
    std::memcpy(static_cast<void*>(to + 1), from, bytes);
  };
  const bool whole = after < 0;
  const Status status = record().try_write(word, record_header().object.kind == Kind::message, fill, whole);
  return told_or(status, word);
}

EXPORT("word") double word() { return static_cast<double>(told(record().word())); }

EXPORT("clear") void clear() { record().clear(); }
