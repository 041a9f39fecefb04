// Shared by the tests of signal sources: queues of records, sources that are detached in time, and
// handlers of others.
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <ucontext.h>

#include <algorithm>
#include <iterator>

#include "../platform/signals.h"
#include "support.h"

namespace threadsafe::test {

constexpr u32 kInfoBytes = sizeof(SignalInfo);

class SignalQueue : public TestQueue {
 public:
  explicit SignalQueue(u32 capacity, Overflow overflow = Overflow::reject)
      : TestQueue(capacity, ElementType::record, kInfoBytes, overflow) {}

  template <class Parker>
  Status get_info(Parker&& parker, SignalInfo& info) {
    return core().get(parker, kInfoBytes, [&](const Span& span) { slots().copy_out(span, &info); });
  }
  Status try_get_info(SignalInfo& info) {
    return core().try_get(kInfoBytes, [&](const Span& span) { slots().copy_out(span, &info); });
  }
};

#ifdef __linux__
// Lets this process have at most so many pending signals. They count against those that all of the
// user's programs may have: without it, a thread that does not take them soon would use up all.
class PendingLimit {
 public:
  explicit PendingLimit(rlim_t most) {
    getrlimit(RLIMIT_SIGPENDING, &before_);
    const rlimit limit{std::min(most, before_.rlim_cur), before_.rlim_max};
    setrlimit(RLIMIT_SIGPENDING, &limit);
  }
  ~PendingLimit() { setrlimit(RLIMIT_SIGPENDING, &before_); }

 private:
  rlimit before_{};
};
#endif

struct Source {
  Source(int signo, SignalTarget target) : attached(attach_signal(signo, target)) { REQUIRE(attached.error == 0); }
  explicit Source(const Attached& a) : attached(a) { REQUIRE(attached.error == 0); }
  ~Source() { detach_source(attached.source); }
  SourceCounts counts() const { return source_counts(attached.source); }
  const Attached attached;
};

inline std::atomic<u32> previous_handler_calls{0};

// The place to which a handler jumps by siglongjmp.
inline sigjmp_buf back_to_test;

// Handlers that are installed over ours, each at most once in a round. They pass signals on to the
// previous handler, as libraries do.
struct Chaining {
  struct sigaction before;
  std::atomic<u32> calls;
};
inline Chaining chaining[5];

inline void call(const struct sigaction& action, int signo, siginfo_t* info, void* context) {
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction(signo, info, context);
  } else if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) {
    action.sa_handler(signo);
  }
}

inline void passes_on(int signo, siginfo_t* info, void* context) {
  chaining[0].calls++;
  call(chaining[0].before, signo, info, context);
}

inline void passes_a_copy_on(int signo, siginfo_t* info, void* context) {
  chaining[1].calls++;
  siginfo_t copy = info ? *info : siginfo_t{};
  call(chaining[1].before, signo, &copy, context);
}

inline void makes_a_siginfo_up(int signo, siginfo_t*, void* context) {
  chaining[2].calls++;
  siginfo_t other{};
  other.si_signo = signo;
  call(chaining[2].before, signo, &other, context);
}

inline void passes_no_context_on(int signo, siginfo_t* info, void*) {
  chaining[3].calls++;
  call(chaining[3].before, signo, info, nullptr);
}

inline void passes_nothing_on(int signo) {
  chaining[4].calls++;
  call(chaining[4].before, signo, nullptr, nullptr);
}

inline void install(u32 number) {
  constexpr void (*kHandlers[])(int, siginfo_t*, void*) = {passes_on, passes_a_copy_on, makes_a_siginfo_up, passes_no_context_on};
  struct sigaction action{};
  if (number < std::size(kHandlers)) {
    action.sa_sigaction = kHandlers[number];
    action.sa_flags = SA_SIGINFO;
  } else {
    action.sa_handler = passes_nothing_on;
  }
  if (number % 2 == 1) sigfillset(&action.sa_mask);
  REQUIRE(sigaction(SIGUSR2, &action, &chaining[number].before) == 0);
}

}  // namespace threadsafe::test
