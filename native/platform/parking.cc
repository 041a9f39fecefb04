#include "parking.h"

#include <mutex>

namespace threadsafe {
namespace {

struct Bucket {
  std::mutex mutex;
  Sleeper* first = nullptr;
  Sleeper* last = nullptr;
};

// More buckets than threads that block at one time, as a rule; sharing one costs only a longer walk.
constexpr std::size_t kBuckets = 128;

Bucket& bucket_of(const WaitList& list) {
  static Bucket* const buckets = new Bucket[kBuckets];
  return buckets[reinterpret_cast<std::uintptr_t>(&list) / sizeof(WaitList) * 0x9e3779b97f4a7c15 >> 57];
}
static_assert(kBuckets == 1 << (64 - 57));

}  // namespace

Sleeper::Entered::Entered(Sleeper& s) : sleeper(s) {
  Bucket& bucket = bucket_of(s.list_);
  bucket.mutex.lock();
  if (s.entered_) return;
  s.entered_ = true;
  s.previous_ = bucket.last;
  (bucket.last ? bucket.last->next_ : bucket.first) = &s;
  bucket.last = &s;
}

Sleeper::Entered::~Entered() { bucket_of(sleeper.list_).mutex.unlock(); }

bool Sleeper::block_until(Clock::time_point time) {
  std::unique_lock<std::mutex> lock(bucket_of(list_).mutex, std::adopt_lock);
  const bool in_time = condition_.wait_until(lock, time) == std::cv_status::no_timeout;
  lock.release();
  return in_time || notified_;
}

void Sleeper::leave() {
  if (!entered_) return;
  Bucket& bucket = bucket_of(list_);
  const std::lock_guard<std::mutex> lock(bucket.mutex);
  (previous_ ? previous_->next_ : bucket.first) = next_;
  (next_ ? next_->previous_ : bucket.last) = previous_;
  entered_ = false;
}

void unpark(const WaitList& list, u32 most) {
  Bucket& bucket = bucket_of(list);
  const std::lock_guard<std::mutex> lock(bucket.mutex);
  for (Sleeper* s = bucket.first; s && most > 0; s = s->next_) {
    if (&s->list_ != &list) continue;
    most--;
    s->notified_ = true;
    s->condition_.notify_one();
  }
}

}  // namespace threadsafe
