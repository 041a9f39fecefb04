// The bounded queue of every textbook: a std::mutex and two condition variables.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

namespace threadsafe::bench {

class MutexQueue {
 public:
  explicit MutexQueue(unsigned capacity) : items_(capacity) {}

  void put(double value) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      not_full_.wait(lock, [this] { return size_ < items_.size(); });
      items_[(first_ + size_++) % items_.size()] = value;
    }
    not_empty_.notify_one();
  }

  double get() {
    double value;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      not_empty_.wait(lock, [this] { return size_ > 0; });
      value = items_[first_];
      first_ = (first_ + 1) % items_.size();
      size_--;
    }
    not_full_.notify_one();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::vector<double> items_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace threadsafe::bench
