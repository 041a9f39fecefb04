// The questions that ask() of a queue's module takes. JavaScript gets their numbers from
// native/binding/constants.cc.
#pragma once

namespace threadsafe {

enum class Question : int {
  status,         // why the last get of this instance brought nothing
  size,           // items that can be got
  full,           // whether there is no room
  closed,         // whether it is closed
  spin_for_item,  // whether there is an item, after a short wait for it: a hint, as others may be quicker
  spin_for_room,  // likewise for room
};

}  // namespace threadsafe
