// Chooses which thread runs next. Relacy's own random scheduler chooses anew before each operation,
// so a thread hardly ever stands still while another makes a hundred operations. Many lost wakes
// need just that. Here each iteration has an average number of operations that a thread makes in
// one go: 1, 4, 16 or 64. Failures that took a million iterations are found within a few thousand.
//
// SEED=n in the environment tries other interleavings.
//
// A small scenario is searched instead: Relacy's own scheduler tries all interleavings, or all with
// at most a given number of preemptions.
#pragma once

#include <cstdlib>

#include "relacy.h"

namespace threadsafe::model {

// Whether the scenario is searched. Then nothing that the search tries anyway is left to chance,
// such as a delay, and there are no spurious wakes, which would hide a lost wake.
inline bool searching = false;

template <rl::thread_id_t threads>
using Search = rl::context_bound_scheduler<threads>;

template <rl::thread_id_t threads>
class Scheduler : public rl::scheduler<Scheduler<threads>, rl::scheduler_thread_info, threads> {
  using Base = rl::scheduler<Scheduler<threads>, rl::scheduler_thread_info, threads>;

 public:
  struct task_t {};

  Scheduler(rl::test_params& params, typename Base::shared_context_t& context, rl::thread_id_t dynamic_threads)
      : Base(params, context, dynamic_threads) {
    if (const char* const seed = std::getenv("SEED")) seed_ = std::strtoul(seed, nullptr, 10) << 32;
  }

  rl::thread_id_t iteration_begin_impl() {
    random_ = seed_ + this->iter_;
    in_one_go_ = 1u << 2 * random(4);
    return any_running();
  }
  bool iteration_end_impl() { return this->iter_ == this->params_.iteration_count; }
  rl::iteration_t iteration_count_impl() { return this->params_.iteration_count; }

  // Chooses, among other things, which possible value a load returns.
  unsigned rand_impl(unsigned limit, rl::sched_type) { return random(limit); }

  // Timeouts and spurious wakes are as frequent as with Relacy's own scheduler, whenever another
  // thread is chosen.
  rl::thread_id_t schedule_impl(rl::unpark_reason& reason, unsigned yield) {
    if (yield == 0 && this->thread_->state_ == rl::thread_state_running && random(in_one_go_) != 0) return this->thread_->index_;
    const rl::thread_id_t running = this->running_threads_count;
    const rl::thread_id_t timed = this->timed_thread_count_;
    if (timed > 0) {
      const rl::thread_id_t k = random(running > 0 ? timed * 4 : timed);
      if (k < timed) return unpark(this->timed_threads_[k], rl::unpark_reason_timeout, reason);
    }
    const rl::thread_id_t spurious = this->spurious_thread_count_;
    if (spurious > 0 && running > 0) {
      const rl::thread_id_t k = random(spurious * 8);
      if (k < spurious) return unpark(this->spurious_threads_[k], rl::unpark_reason_spurious, reason);
    }
    reason = rl::unpark_reason_normal;
    return any_running();
  }

  void get_state_impl(std::ostream&) {}
  void set_state_impl(std::istream&) {}
  void on_thread_block(rl::thread_id_t, bool) {}

 private:
  rl::thread_id_t any_running() { return this->running_threads[random(this->running_threads_count)]; }

  rl::thread_id_t unpark(const rl::scheduler_thread_info* thread, rl::unpark_reason why, rl::unpark_reason& reason) {
    this->unpark_thread(thread->index_);
    reason = why;
    return thread->index_;
  }

  // SplitMix64. Relacy's own generator is too regular for this: its 16 bits come from a
  // multiplication by 257.
  unsigned random(unsigned limit) {
    std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return static_cast<unsigned>(z ^ z >> 31) % limit;
  }

  std::uint64_t seed_ = 0;
  std::uint64_t random_ = 0;
  unsigned in_one_go_ = 1;
};

}  // namespace threadsafe::model
