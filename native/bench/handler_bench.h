// The cost of the package's signal handler, in nanoseconds.
#pragma once

#include <cstdint>
#include <string>

namespace threadsafe::bench {

// "put" is one put of a signal's record in a handler, and "whole" is everything that our handler
// does. The cost of an empty handler is subtracted, so "empty" is 0.
double handler_cost(const std::string& what, std::uint64_t times);

double whole_handler_cost(std::uint64_t times);

// Returns how long a raise() of that signal takes, from call to return.
double nanoseconds_of_raise(int signo, std::uint64_t times);

}  // namespace threadsafe::bench
