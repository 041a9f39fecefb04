// An event in a model.
#pragma once

#include "core/event.h"
#include "parking_model.h"

namespace threadsafe::model {

class ModelEvent {
 public:
  ModelEvent() { unparks_.set_lists(header_.waiters, nullptr); }

  auto core() { return Event(header_, ThreadWake{&parking_}); }

  void set() { core().set(); }
  void clear() { core().clear(); }
  Status wait() {
    Parker parker(parking_);
    return core().wait(parker);
  }
  Status wait_with_deadline() {
    Parker parker(parking_, true);
    return core().wait(parker);
  }

  // Sets the event as a signal handler does; see Helper.
  void set_in_handler(Helper& helper) {
    bool noted = false;
    Event(header_, HandlerWake{{unparks_, noted}}).set();
    if (noted) helper.call();
  }
  void make_unparks() {
    unparks_.make([this](const WaitList&, u32 most) { parking_.unpark(most); });
  }

  // The functions of a source of wait_any(), for a thread that waits for the first setting.
  WaitList& list() { return header_.waiters; }
  bool ready() { return Event<ThreadWake>::done(0, core().word()); }
  void pass_on() {}
  Parking& parking() { return parking_; }

  void until_announced(u32 threads) { model::until_announced(header_.waiters, threads); }
  void check_nobody_waits() { RL_ASSERT(header_.waiters.state.load(memory_order_seq_cst) == 0); }

 private:
  EventHeader header_;
  Parking parking_;
  DeferredUnparks unparks_;
};

}  // namespace threadsafe::model
