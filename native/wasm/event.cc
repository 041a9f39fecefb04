// The module of an event.
#include "../core/event.h"

#include "module.h"

namespace {

using namespace threadsafe;

struct EventWake {
  void all(WaitList&) { wake(0); }
};

auto event() { return Event<EventWake>(header<EventHeader>(), EventWake{}); }

}  // namespace

EXPORT("set") void set() { event().set(); }
EXPORT("clear") void clear() { event().clear(); }
EXPORT("is_set") int is_set() { return event().is_set(); }
EXPORT("word") double word() { return static_cast<double>(event().word()); }
