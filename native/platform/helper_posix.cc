#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <semaphore>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "helper.h"

namespace threadsafe {
namespace {

// A pipe, since it can be written in a signal handler on every POSIX system; unnamed semaphores are missing on some.
int call_pipe[2] = {-1, -1};
std::atomic<bool> called{false};
std::atomic<pid_t> thread_id{0};
void (*work)();

// What another thread asks of the helper: to unblock a signal, or just to answer.
constexpr int kNoQuestion = -1;
constexpr int kJustAnswer = 0;
std::atomic<int> question{kNoQuestion};
std::counting_semaphore<1>& answered() {
  static auto* const semaphore = new std::counting_semaphore<1>(0);
  return *semaphore;
}

void answer() {
  const int signo = question.exchange(kNoQuestion, std::memory_order_acquire);
  if (signo == kNoQuestion) return;
  if (signo != kJustAnswer) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }
  answered().release();
}

void ask(int asked) {
  static auto* const mutex = new std::mutex;
  const std::lock_guard<std::mutex> lock(*mutex);
  question.store(asked, std::memory_order_release);
  call_helper();
  answered().acquire();
}

void* run(void*) {
#ifdef __linux__
  thread_id.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_release);
#endif
  answered().release();
  for (;;) {
    char byte;
    if (read(call_pipe[0], &byte, 1) < 0 && errno != EINTR) return nullptr;
    // Before the work: a call that comes later makes another round. A read-modify-write, as the calls that were merged into this one are
    // to happen before the work, and an exchange reads what the last of them wrote.
    called.exchange(false, std::memory_order_seq_cst);
    answer();
    work();
  }
}

int start(void (*helper_work)()) {
  if (pipe(call_pipe) != 0) return errno;
  for (const int end : call_pipe) fcntl(end, F_SETFD, FD_CLOEXEC);
  work = helper_work;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, run, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    close(call_pipe[0]);
    close(call_pipe[1]);
    return error;
  }
  pthread_detach(thread);
  answered().acquire();
  return 0;
}

}  // namespace

int start_helper(void (*helper_work)()) {
  static auto* const mutex = new std::mutex;
  static bool started = false;
  const std::lock_guard<std::mutex> lock(*mutex);
  if (started) return 0;
  const int error = start(helper_work);
  started = error == 0;
  return error;
}

void call_helper() {
  if (called.exchange(true, std::memory_order_seq_cst)) return;
  const char byte = 0;
  while (write(call_pipe[1], &byte, 1) < 0 && errno == EINTR) {
  }
}

void helper_takes(int signo) { ask(signo); }
void helper_settles() { ask(kJustAnswer); }

pid_t helper_thread_id() { return thread_id.load(std::memory_order_acquire); }

}  // namespace threadsafe
