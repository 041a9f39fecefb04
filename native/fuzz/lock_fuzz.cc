// Every call of a lock and of an event, while their memory is overwritten.
#include "../core/event.h"
#include "../core/lock.h"
#include "scribble.h"

namespace threadsafe::fuzz {
namespace {

u32 milliseconds() {
  const auto now = Clock::now().time_since_epoch();
  return static_cast<u32>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

class LockTarget {
 public:
  LockTarget() : memory_(sizeof(LockHeader)) {}

  ObjectMemory& memory() { return memory_; }

  void call(Input& input, u32 thread) {
    LockHeader& header = memory_.header<LockHeader>();
    Lock lock(header, FuzzWake{});
    Hold& hold = holds_[thread - 1];
    Courtesy& courtesy = courtesies_[thread - 1];
    switch (input.below(10)) {
      case 0:
        lock.try_acquire(thread, hold);
        return;
      case 1:
        lock.try_acquire(thread, milliseconds(), courtesy, hold);
        return;
      case 2:
      case 3:
        lock.attempt({thread, milliseconds() - input.below(1000)}, milliseconds(), courtesy, hold);
        return;
      case 4: {
        auto parker = brief_parker(header.waiters, 4 * input.byte());
        lock.acquire(parker, thread, milliseconds, hold);
        return;
      }
      case 5:
        return lock.release(thread, hold);
      case 6:
        return lock.release(thread, {static_cast<u32>(input.value()), input.byte() % 2 == 0});
      case 7:
        return lock.abandon(input.byte() % 2 == 0 ? thread : static_cast<u32>(input.value()));
      case 8:
        lock.should_attempt({thread, milliseconds()}, milliseconds());
        return lock.leave({thread, milliseconds()});
      default:
        announce_loop(header.waiters, input.below(kMaxLoops));
        return lock.withdraw(input.below(kMaxLoops), thread);
    }
  }

 private:
  ObjectMemory memory_;
  Hold holds_[2] = {};
  Courtesy courtesies_[2];
};

class EventTarget {
 public:
  EventTarget() : memory_(sizeof(EventHeader)) {}

  ObjectMemory& memory() { return memory_; }

  void call(Input& input, u32) {
    EventHeader& header = memory_.header<EventHeader>();
    Event event(header, FuzzWake{});
    switch (input.below(4)) {
      case 0:
        return event.set();
      case 1:
        return event.clear();
      case 2: {
        auto parker = brief_parker(header.waiters, 4 * input.byte());
        event.wait(parker);
        return;
      }
      default:
        event.is_set();
        announce_loop(header.waiters, input.below(kMaxLoops));
        return withdraw_loop(header.waiters, input.below(kMaxLoops), [] {});
    }
  }

 private:
  ObjectMemory memory_;
};

}  // namespace
}  // namespace threadsafe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace threadsafe::fuzz;
  Input input({data, size});
  if (input.byte() % 3 == 0) {
    EventTarget target;
    run(target, input);
  } else {
    LockTarget target;
    run(target, input);
  }
  return 0;
}
