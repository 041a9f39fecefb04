// The functions of LoopWatch: part of helper_posix.cc and helper_none.cc.
#pragma once

#include <mutex>

#include "helper.h"
#include "loop_watch.h"
#include "parking.h"

namespace threadsafe {
namespace {

// The watches that have begun. The helper may have taken an event of one that has ended since, so
// it knows them by numbers that are never reused. While the lock is held, no watch that is here can
// end, nor its sleeper. Never destroyed, as the helper is not.
struct Registry {
  std::mutex mutex;
  LoopWatch* first = nullptr;
  u64 last_id = 0;
};

Registry& registry() {
  static auto* const registry = new Registry;
  return *registry;
}

}  // namespace

void LoopWatch::begin(int loop) {
  if (loop_ != kNoLoop || loop == kNoLoop) return;
  Registry& all = registry();
  // What happens meanwhile waits in the helper for this lock.
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (!watch_descriptor(loop, all.last_id + 1, happened)) return;
  id_ = ++all.last_id;
  loop_ = loop;
  next_ = all.first;
  if (next_) next_->previous_ = this;
  all.first = this;
}

void LoopWatch::end() {
  if (loop_ == kNoLoop) return;
  Registry& all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  unwatch_descriptor(loop_);
  loop_ = kNoLoop;
  (previous_ ? previous_->next_ : all.first) = next_;
  if (next_) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

LoopWatch::Sight LoopWatch::sight() const {
  const u32 events = events_.load(std::memory_order_acquire);
  if (loop_ == kNoLoop || events >= kMostEvents) return Sight::none;
  return events > 0 ? Sight::some : Sight::all;
}

bool LoopWatch::take_news() {
  const u32 events = events_.load(std::memory_order_acquire);
  if (events == told_) return false;
  told_ = events;
  return true;
}

// Runs in the helper thread. The sleeper's own lock is taken inside the registry's, and the sleeper
// never takes the registry's while it holds its own.
void LoopWatch::happened(u64 id) {
  Registry& all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (LoopWatch* watch = all.first; watch; watch = watch->next_) {
    if (watch->id_ != id) continue;
    if (watch->events_.fetch_add(1, std::memory_order_release) + 1 == kMostEvents) unwatch_descriptor(watch->loop_);
    return watch->sleeper_.notify();
  }
}

}  // namespace threadsafe
