// What a signal handler of the package costs, in nanoseconds.
#pragma once

#include <cstdint>
#include <string>

namespace threadsafe::bench {

// "put": one put of a signal's record, in a handler. "whole": all that our handler does. "empty" is
// 0 by definition: what is subtracted.
double handler_cost(const std::string& what, std::uint64_t times);

double whole_handler_cost(std::uint64_t times);

// How long a raise() of that signal takes, from call to return.
double nanoseconds_of_raise(int signo, std::uint64_t times);

}  // namespace threadsafe::bench
