// Waits until one of several descriptors can be read: by epoll on Linux, by kqueue where that
// exists, not at all elsewhere. Any thread may add and remove descriptors while one waits.
//
// POSIX only; helper_posix.cc alone includes it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#if defined(__linux__)
#include <sys/epoll.h>
#elif defined(__APPLE__) || defined(__FreeBSD__)
#include <sys/event.h>
#endif

#include "../core/layout.h"

namespace threadsafe {
namespace {

class Poller {
 public:
  // Returns false if polling is not possible. Then nothing can be added, and wait() returns 0 at
  // once.
  bool open();
  void close() {
    if (poller_ >= 0) ::close(poller_);
    poller_ = -1;
  }

  // Has wait() return `id` as long as the descriptor can be read, or (`only_news`) when there is
  // more to read than before. Returns false if it can't be watched, or is already.
  bool add(int descriptor, u64 id, bool only_news);
  void remove(int descriptor);

  // Returns the id of a descriptor that can be read; 0 if polling fails.
  u64 wait() const;

 private:
  int poller_ = -1;
};

#if defined(__linux__)

bool Poller::open() {
  poller_ = epoll_create1(EPOLL_CLOEXEC);
  return poller_ >= 0;
}

bool Poller::add(int descriptor, u64 id, bool only_news) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (only_news) event.events |= EPOLLET;
  event.data.u64 = id;
  return epoll_ctl(poller_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::remove(int descriptor) {
  epoll_event unused{};
  epoll_ctl(poller_, EPOLL_CTL_DEL, descriptor, &unused);
}

u64 Poller::wait() const {
  epoll_event event{};
  int count;
  do {
    count = epoll_wait(poller_, &event, 1, -1);
  } while (count < 0 && errno == EINTR);
  return count == 1 ? event.data.u64 : 0;
}

#elif defined(__APPLE__) || defined(__FreeBSD__)

bool Poller::open() {
  poller_ = kqueue();
  if (poller_ < 0) return false;
  fcntl(poller_, F_SETFD, FD_CLOEXEC);
  return true;
}

bool Poller::add(int descriptor, u64 id, bool only_news) {
  struct kevent event;
  EV_SET(&event, descriptor, EVFILT_READ, only_news ? EV_ADD | EV_CLEAR : EV_ADD, 0, 0, reinterpret_cast<void*>(id));
  return kevent(poller_, &event, 1, nullptr, 0, nullptr) == 0;
}

void Poller::remove(int descriptor) {
  struct kevent event;
  EV_SET(&event, descriptor, EVFILT_READ, EV_DELETE, 0, 0, nullptr);
  kevent(poller_, &event, 1, nullptr, 0, nullptr);
}

u64 Poller::wait() const {
  struct kevent event;
  int count;
  do {
    count = kevent(poller_, nullptr, 0, &event, 1, nullptr);
  } while (count < 0 && errno == EINTR);
  return count == 1 ? reinterpret_cast<u64>(event.udata) : 0;
}

#else

bool Poller::open() { return false; }
bool Poller::add(int, u64, bool) { return false; }
void Poller::remove(int) {}
u64 Poller::wait() const { return 0; }

#endif

}  // namespace
}  // namespace threadsafe
