// The signal handler must not allocate, lock or wait. The C library's functions for that are
// replaced by ones that end the process if a handler calls them, and then the handler is made to
// take all its paths. (test/signals/safety.test.ts checks everything that its machine code can
// call.)
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "../platform/doorbell.h"
#include "../platform/signals.h"
#include "record_support.h"
#include "support.h"

using namespace threadsafe;
using namespace threadsafe::test;

TEST_SUITE_BEGIN("safety");

namespace {

// Whether this thread is in a handler. It is initial-exec, as in an executable, so that reading it
// calls nothing.
thread_local volatile bool in_handler = false;

void forbidden_in_handler(const char* what) {
  if (!in_handler) return;
  [[maybe_unused]] const auto written = write(2, what, std::strlen(what));
  _exit(97);
}

// Returns the C library's function of that name, which the one here hides.
template <class Function>
Function* real(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) noexcept {
  forbidden_in_handler("malloc in a signal handler\n");
  return __libc_malloc(bytes);
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
  forbidden_in_handler("calloc in a signal handler\n");
  return __libc_calloc(count, bytes);
}

void* realloc(void* block, std::size_t bytes) noexcept {
  forbidden_in_handler("realloc in a signal handler\n");
  return __libc_realloc(block, bytes);
}

void free(void* block) noexcept {
  forbidden_in_handler("free in a signal handler\n");
  __libc_free(block);
}

// As in glibc's headers, sem_wait() is not noexcept: it is a point of cancellation.
#define FORBID(name, parameter, ...)                      \
  int name(parameter argument) __VA_ARGS__ {              \
    forbidden_in_handler(#name " in a signal handler\n"); \
    static const auto original = real(&name, #name);      \
    return original(argument);                            \
  }

FORBID(pthread_mutex_lock, pthread_mutex_t*, noexcept)
FORBID(pthread_mutex_trylock, pthread_mutex_t*, noexcept)
FORBID(pthread_mutex_unlock, pthread_mutex_t*, noexcept)
FORBID(pthread_rwlock_rdlock, pthread_rwlock_t*, noexcept)
FORBID(pthread_rwlock_wrlock, pthread_rwlock_t*, noexcept)
FORBID(pthread_cond_signal, pthread_cond_t*, noexcept)
FORBID(pthread_cond_broadcast, pthread_cond_t*, noexcept)
FORBID(sem_wait, sem_t*)

}  // extern "C"

namespace {

struct sigaction guarded;

// Calls our handler, and notes that it is running.
void guard(int signo, siginfo_t* info, void* context) {
  in_handler = true;
  guarded.sa_sigaction(signo, info, context);
  in_handler = false;
}

// Watches the handler of that signal while it exists. Attach the sources before.
class Guarded {
 public:
  explicit Guarded(int signo) : signo_(signo) {
    REQUIRE(sigaction(signo, nullptr, &guarded) == 0);
    struct sigaction action = guarded;
    action.sa_sigaction = guard;
    REQUIRE(sigaction(signo, &action, nullptr) == 0);
  }
  ~Guarded() { sigaction(signo_, &guarded, nullptr); }

 private:
  const int signo_;
};

class SignalQueue : public TestQueue {
 public:
  explicit SignalQueue(u32 capacity, Overflow overflow = Overflow::reject)
      : TestQueue(capacity, ElementType::record, sizeof(SignalInfo), overflow) {}

  Status get_info(SignalInfo& info) {
    PatientParker parker(header().not_empty);
    return core().get(parker, sizeof info, [&](const Span& span) { slots().copy_out(span, &info); });
  }
};

int exit_code_of(void (*child)()) {
  const pid_t pid = fork();
  if (pid == 0) {
    child();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void in_a_handler(void (*body)()) {
  static void (*what)();
  what = body;
  guarded.sa_sigaction = [](int, siginfo_t*, void*) { what(); };
  struct sigaction action{};
  action.sa_sigaction = guard;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
}

// Keeps the compiler from seeing that the memory is unused.
void* volatile kept;

std::atomic<int> rings{0};
std::atomic<u32> previous_calls{0};

}  // namespace

TEST_CASE("allocating, freeing and locking in a handler are detected") {
  CHECK(exit_code_of([] { in_a_handler([] {}); }) == 0);
  CHECK(exit_code_of([] { in_a_handler([] { kept = std::malloc(1); }); }) == 97);
  CHECK(exit_code_of([] { in_a_handler([] { kept = new int; }); }) == 97);
  CHECK(exit_code_of([] {
          kept = std::malloc(1);
          in_a_handler([] { std::free(kept); });
        }) == 97);
  CHECK(exit_code_of([] {
          static std::mutex mutex;
          in_a_handler([] { mutex.lock(); });
        }) == 97);
  CHECK(exit_code_of([] {
          static std::condition_variable condition;
          in_a_handler([] { condition.notify_all(); });
        }) == 97);
}

TEST_CASE("the handler neither allocates nor locks, whatever it has to do") {
  const Watchdog watchdog("the ways of the handler");
  struct sigaction theirs{};
  theirs.sa_handler = [](int) { previous_calls++; };
  struct sigaction before{};
  sigaction(SIGUSR2, &theirs, &before);
  const u32 rounds = 200;
  SignalQueue wide(rounds), full(1), oldest(1, Overflow::drop_oldest), closed(1), with_loop(rounds), waited(1);
  TestEvent event, event_with_loop;
  TestRecord record(sizeof(SignalInfo)), message(sizeof(SignalInfo));
  closed.core().close();

  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  const u32 bell = open_doorbell(&loop, false, [](void*) { rings++; }, nullptr);
  REQUIRE(bell != kNoDoorbell);
  keep_loop_alive(bell, true);

  std::vector<u32> sources;
  for (SignalQueue* queue : {&wide, &full, &oldest, &closed, &with_loop, &waited}) {
    sources.push_back(attach_signal(SIGUSR2, {&queue->header(), nullptr}).source);
  }
  sources.push_back(attach_signal(SIGUSR2, {nullptr, &event.header()}).source);
  sources.push_back(attach_signal(SIGUSR2, {nullptr, &event_with_loop.header()}).source);
  sources.push_back(attach_signal(SIGUSR2, {&record.header(), record.geometry(), false}).source);
  sources.push_back(attach_signal(SIGUSR2, {&message.header(), message.geometry(), true}).source);
  {
    const Guarded guard(SIGUSR2);
    std::atomic<u32> got{0};
    std::atomic<u32> heard{0};
    run_together({[&] {
                    SignalInfo info;
                    for (u32 k = 0; k < rounds; k++) got += waited.get_info(info) == Status::ok;
                  },
                  [&] {
                    for (u32 k = 0; k < rounds; k++) {
                      PatientParker parker(event.waiters());
                      event.core().wait(parker);
                      event.core().clear();
                      heard++;
                    }
                  },
                  [&] {
                    for (u32 k = 0; k < rounds; k++) {
                      // One thread blocks at a queue and another at an event, and a loop waits for
                      // both kinds.
                      wait_until([&] { return announced(waited.header().not_empty) == 1 && announced(event.waiters()) == 1; });
                      announce_loop(with_loop.header().not_empty, bell);
                      announce_loop(event_with_loop.waiters(), bell);
                      announce_loop(record.header().changed, bell);
                      event_with_loop.core().clear();
                      raise(SIGUSR2);
                      // Waits until the event has been cleared too. A thread that was woken
                      // announces itself once more before it looks, and could be mistaken for the
                      // next.
                      wait_until([&] { return got == k + 1 && heard == k + 1; });
                      uv_run(&loop, UV_RUN_NOWAIT);
                    }
                  }});
  }
  CHECK(rings > 0);
  CHECK(previous_calls == rounds);
  CHECK(source_counts(sources[0]).delivered == rounds);
  CHECK(source_counts(sources[1]).dropped == rounds - 1);
  CHECK(source_counts(sources[2]).delivered == rounds);
  CHECK(source_counts(sources[3]).dropped == rounds);
  CHECK(source_counts(sources[8]).delivered == rounds);
  CHECK(source_counts(sources[9]).delivered == rounds);
  SignalInfo info;
  CHECK(record.read(info) == rounds);
  CHECK(info.signo == SIGUSR2);
  CHECK((message.core().word() & kMessageSet) != 0);
  for (const u32 source : sources) detach_source(source);
  sigaction(SIGUSR2, &before, nullptr);
  close_doorbell(bell, [](void*) {}, nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
}

TEST_CASE("the handler neither allocates nor locks for the ticks of timers") {
  const Watchdog watchdog("ticks");
  Atomic<u64> beat{1};
  SignalQueue ticks(1000), alarms(1000);
  const Attached timer = attach_timer(SIGRTMIN + 3, {200'000, false, {}}, {&ticks.header(), nullptr});
  const Attached alarm = attach_timer(SIGRTMIN + 3, {200'000, true, {&beat, 1'000}}, {&alarms.header(), nullptr});
  {
    const Guarded guard(SIGRTMIN + 3);
    wait_until([&] { return source_counts(timer.source).delivered >= 200 && source_counts(alarm.source).delivered >= 1; });
    // A signal like the one that delete_tick_timer() sends behind the last tick, but for no timer.
    sigval settled{};
    settled.sival_ptr = reinterpret_cast<void*>(u64{0x73746c64} << 32);
    REQUIRE(sigqueue(getpid(), SIGRTMIN + 3, settled) == 0);
  }
  detach_source(timer.source);
  detach_source(alarm.source);
}

TEST_SUITE_END();
