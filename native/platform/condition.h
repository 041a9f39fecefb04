// A condition variable that times out by the monotonic clock. std::condition_variable does that
// only if its library has pthread_cond_clockwait, as from glibc 2.30 on. Prebuilds are made for older
// ones: there it waits for a time of day, and is late by as much as that is set back meanwhile.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#ifndef _WIN32
#include <pthread.h>

#include <cerrno>
#include <ctime>
#endif

namespace threadsafe {

using Clock = std::chrono::steady_clock;

#ifdef _WIN32

// Windows itself waits for a time span.
using Condition = std::condition_variable;

#else

class Condition {
 public:
  Condition() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    pthread_cond_init(&condition_, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  ~Condition() { pthread_cond_destroy(&condition_); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one() { pthread_cond_signal(&condition_); }

  // May return early, as all condition variables may.
  std::cv_status wait_until(std::unique_lock<std::mutex>& lock, Clock::time_point time) {
    pthread_mutex_t* const mutex = lock.mutex()->native_handle();
#ifdef __APPLE__
    // It has no clock of its own, but waits for a time span.
    constexpr Clock::duration kLongest = std::chrono::hours(1);
    const Clock::duration left = time - Clock::now();
    if (left <= Clock::duration::zero()) return std::cv_status::timeout;
    const timespec span = timespec_of(std::min(left, kLongest));
    const bool late = pthread_cond_timedwait_relative_np(&condition_, mutex, &span) == ETIMEDOUT && left <= kLongest;
#else
    const timespec at = timespec_of(time.time_since_epoch());
    const bool late = pthread_cond_timedwait(&condition_, mutex, &at) == ETIMEDOUT;
#endif
    return late ? std::cv_status::timeout : std::cv_status::no_timeout;
  }

 private:
  static timespec timespec_of(Clock::duration span) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span);
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(span - seconds);
    return {static_cast<std::time_t>(seconds.count()), static_cast<long>(rest.count())};
  }

  pthread_cond_t condition_;
};

#endif

}  // namespace threadsafe
