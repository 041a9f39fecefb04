// The main function of a model, which runs the named scenarios, or all of a kind.
//
//     ring_model [option...] [scenario...]
//
//     --search         runs the scenarios that are searched, unless some are named
//     --preemptions N  searches with at most so many preemptions
//     --iterations N   runs so many random interleavings
//     --weaken FILE:LINE:OPERATION=ORDER
//                      gives that operation of the core another order; see native/model/orderings.txt
//     --must-fail      fails if Relacy finds nothing in one of the scenarios
//     --find           runs scenarios of both kinds until one fails, and fails if none does
//
// Most scenarios are tried in as many random interleavings as they say, or in the share of these
// that MODEL_SHARE in the environment gives, 0.5 for half. Small ones are searched: all
// interleavings are tried, or all with at most a given number of preemptions.
//
// A model that is compiled with SCENARIOS="one two" has those alone. A mutant needs few, and most
// of its compile time goes into Relacy's templates, once for each scenario.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>
#include <utility>

#include "atomic_model.h"
#include "relacy.h"
#include "scheduler.h"

namespace threadsafe::model {

#ifndef SCENARIOS
#define SCENARIOS ""
#endif

inline constexpr unsigned kAnyPreemptions = ~0u;

struct Scenario {
  const char* name;
  unsigned iterations;                   // 0 if it is searched
  unsigned preemptions;                  // at most, where it is searched
  bool (*run)(rl::test_params& params);  // null: not compiled

  bool is_searched() const { return iterations == 0; }
};

// Does what rl::simulate does, but with a single scheduler, so that Relacy's others are not
// compiled.
template <class Suite, class OneScheduler>
bool simulate(rl::test_params& params) {
  rl::ostringstream state;
  if (rl::run_test<Suite, OneScheduler>(params, state, false) == rl::test_result_success) return true;
  if (params.output_history) {
    params.initial_state = state.str();
    params.collect_history = true;
    rl::run_test<Suite, OneScheduler>(params, state, true);
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
    return {name.text, iterations, 0, simulate<Suite, Scheduler<Suite::params::thread_count>>};
  } else {
    return {name.text, iterations, 0, nullptr};
  }
}

// Makes a scenario that is small enough to be searched.
template <class Suite, Name name>
constexpr Scenario search(unsigned preemptions = kAnyPreemptions) {
  if constexpr (is_compiled(name.text)) {
    return {name.text, 0, preemptions, simulate<Suite, Search<Suite::params::thread_count>>};
  } else {
    return {name.text, 0, preemptions, nullptr};
  }
}

struct Options {
  bool search = false;
  bool must_fail = false;
  bool find = false;
  unsigned iterations = 0;  // 0 leaves it to the scenario, as for preemptions
  unsigned preemptions = 0;
};

// Returns the number of random interleavings that a scenario is tried in.
inline unsigned iterations_of(const Scenario& scenario, const Options& options) {
  if (options.iterations != 0 || scenario.is_searched()) return options.iterations;
  const char* const share = std::getenv("MODEL_SHARE");
  return share ? std::max(1u, static_cast<unsigned>(scenario.iterations * std::atof(share))) : scenario.iterations;
}

// Runs a scenario. VERBOSE=1 in the environment prints how a failure came about, at length. It is
// off by default, as mutants are meant to fail. The output is not kept in a string, since Relacy
// replaces operator new while it runs.
inline bool passes(const Scenario& scenario, const Options& options) {
  std::ostream nowhere(nullptr);
  const bool verbose = std::getenv("VERBOSE") != nullptr;
  const unsigned preemptions = options.preemptions != 0 ? options.preemptions : scenario.preemptions;
  rl::test_params params;
  params.iteration_count = iterations_of(scenario, options);
  params.execution_depth_limit = 10000;
  params.output_stream = verbose ? &std::cout : &nowhere;
  params.output_history = verbose;
  params.progress_stream = &nowhere;
  searching = scenario.is_searched();
  params.search_type = searching ? rl::sched_bound : rl::sched_random;
  params.context_bound = preemptions;
  const bool passed = scenario.run(params);
  std::cout << scenario.name << ": ";
  if (passed && searching) {
    std::cout << "passed all " << params.stop_iteration << " executions";
    if (preemptions != kAnyPreemptions) std::cout << " with at most " << preemptions << " preemptions";
  } else if (passed) {
    std::cout << "passed " << params.iteration_count << " iterations";
  } else {
    std::cout << rl::test_result_str(params.test_result) << " in iteration " << params.stop_iteration;
  }
  std::cout << std::endl;
  return passed;
}

// Returns whether the scenario makes the weakened operation at all.
inline bool meets_weakened(const Scenario& scenario) {
  std::ostream nowhere(nullptr);
  rl::test_params params;
  params.iteration_count = 200;
  params.execution_depth_limit = 10000;
  params.output_stream = params.progress_stream = &nowhere;
  searching = false;
  weakened.met = false;
  if (!scenario.is_searched()) scenario.run(params);
  return weakened.met || scenario.is_searched();
}

// Parses FILE:LINE:OPERATION=ORDER. Returns false if it is anything else.
inline bool set_weakened(std::string_view text) {
  static constexpr std::pair<std::string_view, rl::memory_order> kOrders[] = {
      {"relaxed", rl::mo_relaxed}, {"acquire", rl::mo_acquire}, {"release", rl::mo_release}, {"acq_rel", rl::mo_acq_rel}};
  const std::size_t line = text.find(':');
  const std::size_t operation = text.find(':', line + 1);
  const std::size_t order = text.find('=');
  if (line == text.npos || operation == text.npos || order == text.npos) return false;
  for (const auto& [name, value] : kOrders) {
    if (name != text.substr(order + 1)) continue;
    weakened.file = text.substr(0, line);
    weakened.line = static_cast<unsigned>(std::strtoul(text.data() + line + 1, nullptr, 10));
    weakened.operation = text.substr(operation + 1, order - operation - 1);
    weakened.order = value;
    return true;
  }
  return false;
}

// Returns the index of the first argument that is not an option, or 0 if an option is wrong.
inline int parse(int argc, char** argv, Options& options) {
  int k = 1;
  for (; k < argc && argv[k][0] == '-'; k++) {
    const std::string_view option = argv[k];
    const auto number = [&] { return ++k < argc ? static_cast<unsigned>(std::strtoul(argv[k], nullptr, 10)) : 0; };
    if (option == "--search") {
      options.search = true;
    } else if (option == "--must-fail") {
      options.must_fail = true;
    } else if (option == "--find") {
      options.find = true;
    } else if (option == "--iterations") {
      options.iterations = number();
    } else if (option == "--preemptions") {
      options.preemptions = number();
    } else if (option != "--weaken" || ++k == argc || !set_weakened(argv[k])) {
      std::cout << option << ": see native/model/main.h for the options\n";
      return 0;
    }
  }
  return k;
}

template <std::size_t count>
int main(int argc, char** argv, const Scenario (&scenarios)[count]) {
  Options options;
  const int first = parse(argc, argv, options);
  bool right = first != 0;
  for (int k = first; right && k < argc; k++) {
    bool known = false;
    for (const Scenario& scenario : scenarios) known |= std::strcmp(argv[k], scenario.name) == 0;
    if (!known) std::cout << argv[k] << ": there is no such scenario\n";
    right &= known;
  }
  if (!right) return 1;
  for (const Scenario& scenario : scenarios) {
    bool named = argc == first && (options.find || scenario.is_searched() == options.search);
    for (int k = first; k < argc; k++) named |= std::strcmp(argv[k], scenario.name) == 0;
    if (!named || !scenario.run || (options.find && !meets_weakened(scenario))) continue;
    const bool passed = passes(scenario, options);
    if (options.find && !passed) return 0;
    if (options.must_fail && passed) std::cout << "Relacy should have found a failure\n";
    right &= passed != options.must_fail;
  }
  if (options.find) return 1;
  if (weakened.line != 0 && !weakened.met) std::cout << "the operation that is weakened was never made\n";
  return right && (weakened.line == 0 || weakened.met) ? 0 : 1;
}

}  // namespace threadsafe::model
