#include "parking.h"

#include <atomic>

#include "process_wide.h"

namespace threadsafe {

struct THREADSAFE_PROCESS_WIDE Bucket {
  std::mutex mutex;
  Place* first = nullptr;
  Place* last = nullptr;
};

// More buckets than threads that block at one time, as a rule; sharing one costs only a longer
// walk.
constexpr std::size_t kBuckets = 128;

template <u32 version>
struct THREADSAFE_PROCESS_WIDE ParkingTable {
  static constinit inline std::atomic<Bucket*> buckets{nullptr};
};

namespace {

Bucket* buckets() {
  std::atomic<Bucket*>& shared = ParkingTable<kProcessVersion>::buckets;
  // Acquire, and release: whoever finds the buckets finds them constructed.
  if (Bucket* const known = shared.load(std::memory_order_acquire)) return known;
  Bucket* const made = new Bucket[kBuckets];
  Bucket* first = nullptr;
  if (shared.compare_exchange_strong(first, made, std::memory_order_acq_rel, std::memory_order_acquire)) return made;
  delete[] made;
  return first;
}

Bucket& bucket_of(const WaitList& list) {
  return buckets()[reinterpret_cast<std::uintptr_t>(&list) / sizeof(WaitList) * 0x9e3779b97f4a7c15 >> 57];
}
static_assert(kBuckets == 1 << (64 - 57));

}  // namespace

void Sleeper::enter() {
  if (entered_) return;
  entered_ = true;
  for (Place& place : places_) {
    place.sleeper = this;
    Bucket& bucket = bucket_of(*place.list);
    const std::lock_guard<std::mutex> lock(bucket.mutex);
    place.previous = bucket.last;
    (bucket.last ? bucket.last->next : bucket.first) = &place;
    bucket.last = &place;
  }
}

void Sleeper::leave() {
  if (!entered_) return;
  entered_ = false;
  for (Place& place : places_) {
    Bucket& bucket = bucket_of(*place.list);
    const std::lock_guard<std::mutex> lock(bucket.mutex);
    (place.previous ? place.previous->next : bucket.first) = place.next;
    (place.next ? place.next->previous : bucket.last) = place.previous;
    place.next = place.previous = nullptr;
  }
}

// Under the lock of a bucket, without which this sleeper can't leave and end.
void Sleeper::notify() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    notified_ = true;
  }
  condition_.notify_one();
}

void unpark(const WaitList& list, u32 most) {
  Bucket& bucket = bucket_of(list);
  const std::lock_guard<std::mutex> lock(bucket.mutex);
  for (Place* place = bucket.first; place && most > 0; place = place->next) {
    if (place->list != &list) continue;
    most--;
    place->sleeper->notify();
  }
}

}  // namespace threadsafe
