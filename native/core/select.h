// Waiting at several lists at once: until a get of one of several queues could do something, or one
// of several events is set.
//
// wait_any() takes nothing. It says that there is probably something. Its caller then tries the
// gets, and waits again if others were quicker. So wait_any() needs to know nothing about items.
//
// Why no wake is lost. The thread announces itself in each of the lists, and in each of them is a
// waiter like any other, for which the argument of wait.h holds list by list:
//
//   It announces in all, then looks at all. So for each list either the look sees the change, or
//   the change's maker sees the announcement.
//
//   It sleeps once for all lists, and is woken by an unpark of any. Before it sleeps it makes sure
//   that it is announced in every one: none has a permit, which would say that an announcement,
//   perhaps this one, was taken down for a change that it has not looked at.
//
//   When woken, it does not know by which list, so it renews its announcement in all, and looks at
//   all. In a list that had not woken it, renewing makes another waiter's permit into an
//   announcement. That waiter is awake all the same, and announcements and permits together are
//   still as many as waiters. The change that the permit stood for is looked at here, after
//   renewing.
//
//   A wake that it was given and does not use is handed on. It leaves every list as wait.h wants:
//   it stops being a sleeper, takes back a permit or else an announcement, and looks once more on
//   behalf of the others. It does so also in the list that has something, as it has not taken the
//   item. If it is the only one to try, nobody else is there to be woken; otherwise whoever is
//   quicker gets the item.
#pragma once

#include "layout.h"
#include "ring.h"
#include "status.h"
#include "wait.h"

namespace threadsafe {

// Whether a get of that queue could do something now: take an item, or learn that the queue is
// closed and drained. This is the try of wait.h.
template <class Slots>
bool get_ready(QueueHeader& header, const Geometry& geometry, Slots slots) {
  return Ring<Slots>(header.tail, header.head, Positions{geometry.capacity, geometry.index_bits}, slots).get_ready();
}

// Returns ok when one of the sources is ready, or probably was just now; else timeout or
// interrupted, as the parker says. Sources is a range of objects with
//
//     WaitList& list()    each list at most once
//     bool ready()        a try in the sense of wait.h, which takes nothing
//     void pass_on()      wakes the next waiter of that list, if there is something for it
//
// Parker: as for wait(); it sleeps at all the lists.
template <class Sources, class Parker>
Status wait_any(Sources&& sources, Parker& parker) {
  const auto any_ready = [&] {
    for (auto& source : sources) {
      if (source.ready()) return true;
    }
    return false;
  };
  do {
    if (any_ready()) return Status::ok;
  } while (parker.pause());
  for (auto& source : sources) announce_thread(source.list());
  Status status = Status::ok;
  while (!any_ready()) {
    // Asks ready() as well: an event wakes all at once, and the permit of this one's wake may have
    // gone to another waiter (event.h).
    const auto may_sleep = [&] {
      for (auto& source : sources) {
        if (permits(source.list()) > 0 || source.ready()) return false;
      }
      return true;
    };
    status = parker.sleep(may_sleep);
    if (status != Status::ok) break;
    for (auto& source : sources) renew_thread(source.list());
  }
  parker.leave();
  for (auto& source : sources) {
    withdraw_thread(source.list());
    source.pass_on();
  }
  return status;
}

}  // namespace threadsafe
