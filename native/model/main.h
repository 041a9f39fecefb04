// The main function of a model: runs the scenarios that are named, or all. Each is tried in as many
// random interleavings as it says.
//
//     ring_model [--must-fail] [scenario...]
//
// With --must-fail, for the mutants, it is a failure if Relacy finds nothing in one of them. A
// model that is compiled with SCENARIOS="one two" has those alone: a mutant needs few, and most of
// its compile time goes into Relacy's templates, once for each scenario.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "relacy.h"
#include "scheduler.h"

namespace threadsafe::model {

#ifndef SCENARIOS
#define SCENARIOS ""
#endif

struct Scenario {
  const char* name;
  unsigned iterations;
  bool (*run)(rl::test_params& params);  // null: not compiled
};

// Does what rl::simulate does, but with our scheduler, and without compiling Relacy's own three.
template <class Suite>
bool simulate(rl::test_params& params) {
  using OurScheduler = Scheduler<Suite::params::thread_count>;
  rl::ostringstream state;
  if (rl::run_test<Suite, OurScheduler>(params, state, false) == rl::test_result_success) return true;
  if (params.output_history) {
    params.initial_state = state.str();
    params.collect_history = true;
    rl::run_test<Suite, OurScheduler>(params, state, true);
  }
  return false;
}

// A string as a template argument.
template <std::size_t size>
struct Name {
  constexpr Name(const char (&from)[size]) { std::copy(from, from + size, text); }
  char text[size];
};

constexpr bool is_compiled(std::string_view name) {
  std::string_view names = SCENARIOS;
  if (names.empty()) return true;
  for (;;) {
    const std::size_t end = names.find(' ');
    if (names.substr(0, end) == name) return true;
    if (end == names.npos) return false;
    names.remove_prefix(end + 1);
  }
}

template <class Suite, Name name>
constexpr Scenario scenario(unsigned iterations) {
  if constexpr (is_compiled(name.text)) {
    return {name.text, iterations, simulate<Suite>};
  } else {
    return {name.text, iterations, nullptr};
  }
}

// VERBOSE=1 in the environment shows how a failure came about, at length. It is off by default, as
// mutants are meant to fail. The output is not kept in a string, since Relacy replaces operator new
// while it runs.
inline bool passes(const Scenario& scenario) {
  std::ostream nowhere(nullptr);
  const bool verbose = std::getenv("VERBOSE") != nullptr;
  rl::test_params params;
  params.iteration_count = scenario.iterations;
  params.execution_depth_limit = 10000;
  params.output_stream = verbose ? &std::cout : &nowhere;
  params.output_history = verbose;
  params.progress_stream = &nowhere;
  const bool passed = scenario.run(params);
  std::cout << scenario.name << ": ";
  if (passed) {
    std::cout << "passed " << scenario.iterations << " iterations" << std::endl;
  } else {
    std::cout << rl::test_result_str(params.test_result) << " in iteration " << params.stop_iteration << std::endl;
  }
  return passed;
}

template <std::size_t count>
int main(int argc, char** argv, const Scenario (&scenarios)[count]) {
  const bool must_fail = argc > 1 && std::strcmp(argv[1], "--must-fail") == 0;
  const int first = must_fail ? 2 : 1;
  bool right = true;
  for (int k = first; k < argc; k++) {
    bool known = false;
    for (const Scenario& scenario : scenarios) known |= std::strcmp(argv[k], scenario.name) == 0;
    if (!known) std::cout << argv[k] << ": there is no such scenario\n";
    right &= known;
  }
  for (const Scenario& scenario : scenarios) {
    bool named = argc == first;
    for (int k = first; k < argc; k++) named |= std::strcmp(argv[k], scenario.name) == 0;
    if (!named || !scenario.run) continue;
    const bool passed = passes(scenario);
    if (must_fail && passed) std::cout << "Relacy should have found a failure\n";
    right &= passed != must_fail;
  }
  return right ? 0 : 1;
}

}  // namespace threadsafe::model
