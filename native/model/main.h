// The main function of a model: runs the scenarios that are named, or all. Each is tried in as many random interleavings as it says.
//
//     ring_model [--must-fail] [scenario...]
//
// With --must-fail, for the mutants, it is a failure when Relacy finds nothing.
#pragma once

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "relacy.h"

namespace threadsafe::model {

struct Scenario {
  const char* name;
  unsigned iterations;
  bool (*run)(rl::test_params& params);
};

// rl::simulate, without the two schedulers that are not used here: so it compiles in a third of the time.
template <class Suite>
bool simulate(rl::test_params& params) {
  using Scheduler = rl::random_scheduler<Suite::params::thread_count>;
  rl::ostringstream state;
  if (rl::run_test<Suite, Scheduler>(params, state, false) == rl::test_result_success) return true;
  if (params.output_history) {
    params.initial_state = state.str();
    params.collect_history = true;
    rl::run_test<Suite, Scheduler>(params, state, true);
  }
  return false;
}

template <class Suite>
constexpr Scenario scenario(const char* name, unsigned iterations) {
  return {name, iterations, simulate<Suite>};
}

// VERBOSE=1 in the environment shows how a failure came to pass. Long, and of no interest where a failure is what was wanted. Not kept in a
// string: Relacy replaces operator new while it runs.
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
  bool all_known = true;
  bool all_passed = true;
  for (int k = first; k < argc; k++) {
    bool known = false;
    for (const Scenario& scenario : scenarios) known |= std::strcmp(argv[k], scenario.name) == 0;
    if (!known) std::cout << argv[k] << ": there is no such scenario\n";
    all_known &= known;
  }
  for (const Scenario& scenario : scenarios) {
    bool named = argc == first;
    for (int k = first; k < argc; k++) named |= std::strcmp(argv[k], scenario.name) == 0;
    if (named) all_passed &= passes(scenario);
  }
  if (must_fail && all_passed) std::cout << "Relacy should have found a failure\n";
  return all_known && all_passed != must_fail ? 0 : 1;
}

}  // namespace threadsafe::model
