// Every status code. TypeScript reads them from the addon (native/binding/constants.cc).
#pragma once

#include <cstdint>

namespace threadsafe {

enum class Status : std::uint32_t {
  ok = 0,
  empty = 1,        // no item can be taken now
  full = 2,         // no room for this item now
  closed = 3,       // put: closed; get: closed and drained
  timeout = 4,      // the deadline passed first
  interrupted = 5,  // the waiting thread is being stopped
  too_small = 6,    // the caller's buffer does not hold the next item
  dropped = 7,      // the overflow policy dropped the new item
  damaged = 15,     // get: the memory says what no queue can hold; somebody has written over it
  busy = 16,        // another is in the middle of a copy that decides, or has changed what this was based on: try again
};

}  // namespace threadsafe
