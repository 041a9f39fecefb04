// Calls the functions of threadsafe.h in any order, with bad arguments too: wrong sizes, leases and
// tokens that have ended, handles that were cancelled or whose isolate has ended. An input does so
// in one of three ways: by one thread, with some calls in a signal handler, and each compared with
// a model; over memory that is overwritten; or by two threads that signals strike.
#include <pthread.h>
#include <signal.h>

#include "capi_objects.h"

namespace threadsafe {

// Stubs, as opening a handle needs Node.
threadsafe_status open_native_queue(const threadsafe_native*, threadsafe_type, std::size_t, const threadsafe_field*, std::size_t,
                                    threadsafe_queue**) {
  return THREADSAFE_FAILED;
}
threadsafe_status open_native_event(const threadsafe_native*, threadsafe_event**) { return THREADSAFE_FAILED; }

namespace fuzz {
namespace {

enum class Way { model, scribbles, threads };

// The handler's work, in the thread that it strikes.
thread_local void (*on_signal)(void* data) = nullptr;
thread_local void* signal_data = nullptr;

void handle_signal(int) {
  if (on_signal) on_signal(signal_data);
}

class Calls {
 public:
  explicit Calls(Input& input)
      : way_(static_cast<Way>(input.below(3))),
        numbers_(ElementType::float64, 1 + input.below(3), static_cast<Overflow>(input.below(3))),
        texts_(ElementType::bytes, 1 + input.below(4), static_cast<Overflow>(input.below(3))) {}

  Way way() const { return way_; }

  ObjectMemory& memory() {
    ObjectMemory* const all[] = {&numbers_.memory, &texts_.memory, &event_.memory, &record_.memory,
                                 &message_.memory, &lock_.memory,  &pool_.memory};
    return *all[turn_.fetch_add(1, std::memory_order_relaxed) % (sizeof all / sizeof *all)];
  }

  void call(Input& input, u32) {
    const u32 object = input.below(8);
    if (input.byte() % 16 == 0) return live(object, input);
    switch (object) {
      case 0:
      case 1:
        return queue(numbers_, input);
      case 2:
      case 3:
        return queue(texts_, input);
      case 4:
        return input.byte() % 2 == 0 ? event(input) : lock(input);
      case 5:
        return record(input);
      case 6:
        return message(input);
      default:
        return pool(input);
    }
  }

  // The work of a signal that strikes a thread in the middle of something. It allocates nothing.
  void strike() {
    const double item = 1;
    double got;
    bool set;
    std::size_t bytes;
    u32 lease;
    unsigned char content[kRecordBytes] = {};
    threadsafe_put_or_drop(struck_.numbers, &item, sizeof item);
    threadsafe_try_get(struck_.texts, content, sizeof content, &bytes);
    threadsafe_try_put(struck_.texts, content, 3 * kSlotBytes / 2);
    threadsafe_try_get(struck_.numbers, &got, sizeof got, nullptr);
    threadsafe_event_set(struck_.event);
    threadsafe_event_is_set(struck_.event, &set);
    threadsafe_record_write(struck_.record, content, sizeof content, nullptr, 0, nullptr);
    threadsafe_message_set(struck_.message, content, 3);
    if (threadsafe_pool_try_lend(struck_.pool, &lease) == THREADSAFE_OK) threadsafe_pool_release(struck_.pool, lease);
  }

 private:
  // Makes the call. If `safe` and the input says so, it is made in a signal handler.
  template <class Call>
  threadsafe_status made(Input& input, bool safe, Call&& call) {
    if (!safe || input.byte() % 4 != 0) return call();
    struct Made {
      Call& call;
      threadsafe_status status;
    } made{call, THREADSAFE_OK};
    const auto before = on_signal;
    void* const before_data = signal_data;
    signal_data = &made;
    on_signal = [](void* data) {
      Made& here = *static_cast<Made*>(data);
      on_signal = nullptr;  // only one strike makes the call
      here.status = here.call();
    };
    raise(SIGUSR1);
    signal_data = before_data;
    on_signal = before;
    return made.status;
  }

  template <class One, class Expected>
  void check(const One& one, threadsafe_status status, Expected&& expected) {
    require(static_cast<u32>(status) <= THREADSAFE_ENDED, "a status is one of those listed");
    if (way_ != Way::model) return;
    const threadsafe_status should_be = one.cancelled ? THREADSAFE_CLOSED : expected();
    if (status != should_be) std::fprintf(stderr, "status %d where %d should be\n", status, should_be);
    require(status == should_be, "a status is the model's");
  }

  static double brief(Input& input) { return input.byte() % 2 == 0 ? 0 : 0.05; }

  void queue(CapiQueue& queue, Input& input) {
    auto& one = queue.handles.pick(input);
    const u32 call = input.below(7);
    if (call == 0 && input.byte() % 8 == 0) {
      const auto status = made(input, true, [&] { return threadsafe_queue_end(one.open); });
      return check(one, status, [&] {
        queue.closed = true;
        return THREADSAFE_OK;
      });
    }
    if (call < 4) return put(queue, one, call, input);
    Bytes buffer(queue.is_fixed() && input.byte() % 8 != 0 ? kSlotBytes : input.below(40));
    std::size_t got = buffer.size();
    std::size_t* const told = input.byte() % 2 == 0 ? &got : nullptr;
    const bool waits = call == 6;
    const double time = brief(input);
    const auto status = made(input, !waits, [&] {
      return waits ? threadsafe_get(one.open, buffer.data(), buffer.size(), told, time)
                   : threadsafe_try_get(one.open, buffer.data(), buffer.size(), told);
    });
    check(one, status, [&] {
      Bytes item;
      const auto expected = queue.get(buffer.size(), waits, item);
      const bool told_of = told && (expected == THREADSAFE_OK || expected == THREADSAFE_TOO_SMALL);
      if (told_of) require(got == item.size(), "a length is the item's");
      if (expected == THREADSAFE_OK) require(std::equal(item.begin(), item.end(), buffer.begin()), "an item comes out as it was put");
      return expected;
    });
  }

  void put(CapiQueue& queue, QueueHandles::One& one, u32 call, Input& input) {
    Bytes item(queue.is_fixed() && input.byte() % 8 != 0 ? kSlotBytes : input.below(40), input.byte());
    const double time = brief(input);
    const auto status = made(input, call < 3, [&] {
      if (call == 3) return threadsafe_put(one.open, item.data(), item.size(), time);
      return call == 2 ? threadsafe_put_or_drop(one.open, item.data(), item.size())
                       : threadsafe_try_put(one.open, item.data(), item.size());
    });
    check(one, status, [&] { return queue.put(item, call == 3, call == 2); });
  }

  void event(Input& input) {
    auto& one = event_.handles.pick(input);
    switch (input.below(4)) {
      case 0:
        return check(one, made(input, true, [&] { return threadsafe_event_set(one.open); }), [&] {
          event_.set = true;
          return THREADSAFE_OK;
        });
      case 1:
        return check(one, made(input, true, [&] { return threadsafe_event_clear(one.open); }), [&] {
          event_.set = false;
          return THREADSAFE_OK;
        });
      case 2: {
        bool set = true;
        return check(one, made(input, true, [&] { return threadsafe_event_is_set(one.open, &set); }), [&] {
          require(set == event_.set, "an event is set or not");
          return THREADSAFE_OK;
        });
      }
      default:
        return check(one, threadsafe_event_wait(one.open, brief(input)), [&] { return event_.set ? THREADSAFE_OK : THREADSAFE_TIMEOUT; });
    }
  }

  void lock(Input& input) {
    auto& one = lock_.handles.pick(input);
    bool held = true;
    check(one, made(input, true, [&] { return threadsafe_lock_is_held(one.open, &held); }), [&] {
      require(!held, "nobody holds the lock");
      return THREADSAFE_OK;
    });
  }

  void record(Input& input) {
    auto& one = record_.handles.pick(input);
    const std::size_t bytes = input.byte() % 8 == 0 ? input.below(40) : kRecordBytes;
    Bytes value(bytes, input.byte());
    u64 version = 0;
    u64* const told = input.byte() % 2 == 0 ? &version : nullptr;
    const u32 call = input.below(4);
    if (call == 0) {
      const auto status = made(input, true, [&] { return threadsafe_record_read(one.open, value.data(), bytes, told); });
      return check(one, status, [&] {
        if (bytes != kRecordBytes) return THREADSAFE_WRONG_SIZE;
        require(value == record_.content, "a record is read as it was written");
        require(!told || version == record_.version, "a version counts the writes");
        return THREADSAFE_OK;
      });
    }
    if (call == 1) {
      const u64 since = input.byte() % 2 == 0 ? input.below(8) : input.value();
      return check(one, threadsafe_record_wait(one.open, since, brief(input), told),
                   [&] { return record_.version > since ? THREADSAFE_OK : THREADSAFE_TIMEOUT; });
    }
    const threadsafe_range ranges[] = {{input.below(30), input.below(30)}, {input.below(30), static_cast<std::size_t>(input.value())}};
    const std::size_t count = call == 2 ? 0 : input.below(3);
    const auto status = made(
        input, true, [&] { return threadsafe_record_write(one.open, value.data(), bytes, call == 2 ? nullptr : ranges, count, told); });
    check(one, status, [&] { return written(value, call == 2, {ranges, count}, told); });
  }

  threadsafe_status written(const Bytes& value, bool all, std::span<const threadsafe_range> ranges, const u64* told) {
    if (value.size() != kRecordBytes) return THREADSAFE_WRONG_SIZE;
    for (const auto& [offset, bytes] : ranges) {
      if (offset > kRecordBytes || bytes > kRecordBytes - offset) return THREADSAFE_WRONG_SIZE;
    }
    if (all) record_.content = value;
    for (const auto& [offset, bytes] : ranges) std::copy_n(value.begin() + offset, bytes, record_.content.begin() + offset);
    record_.version++;
    require(!told || *told == record_.version, "a write is told its version");
    return THREADSAFE_OK;
  }

  void message(Input& input) {
    auto& one = message_.handles.pick(input);
    if (input.byte() % 4 == 0)
      return check(one, made(input, true, [&] { return threadsafe_message_clear(one.open); }), [] { return THREADSAFE_OK; });
    const Bytes value(input.below(40), 1);
    const auto status = made(input, true, [&] { return threadsafe_message_set(one.open, value.data(), value.size()); });
    check(one, status, [&] { return value.size() > kRecordBytes ? THREADSAFE_TOO_LARGE : THREADSAFE_OK; });
  }

  void pool(Input& input) {
    auto& one = pool_.handles.pick(input);
    const u32 call = input.below(8);
    std::atomic<u32>& known = names_[input.below(4)];
    u32 name = input.byte() % 16 == 0 ? static_cast<u32>(input.value()) : known.load();
    const u32 given = name;
    const auto finish = [&](threadsafe_status status, auto&& expected) {
      if (status == THREADSAFE_OK) known.store(name);
      check(one, status, expected);
    };
    switch (call) {
      case 0:
      case 1: {
        const double time = brief(input);
        const auto status = made(input, call == 0, [&] {
          return call == 0 ? threadsafe_pool_try_lend(one.open, &name) : threadsafe_pool_lend(one.open, &name, time);
        });
        return finish(status, [&] {
          if (pool_.leases.size() + pool_.tokens.size() == kPoolBuffers) return call == 0 ? THREADSAFE_EMPTY : THREADSAFE_TIMEOUT;
          require(!pool_.has(pool_.leases, name) && !pool_.has(pool_.tokens, name), "a lease has a name of its own");
          pool_.leases.push_back(name);
          return THREADSAFE_OK;
        });
      }
      case 2:
      case 3: {
        void* data = nullptr;
        const auto status = made(input, true, [&] { return threadsafe_pool_data(one.open, given, &data); });
        if (status == THREADSAFE_OK && way_ == Way::model) std::memset(data, 1, kPoolBytes);
        return check(one, status, [&] { return pool_.has(pool_.leases, given) ? THREADSAFE_OK : THREADSAFE_ENDED; });
      }
      case 4:
        return finish(made(input, true, [&] { return threadsafe_pool_pass(one.open, given, &name); }), [&] {
          if (!pool_.has(pool_.leases, given)) return THREADSAFE_ENDED;
          pool_.move(pool_.leases, given, &pool_.tokens, name);
          return THREADSAFE_OK;
        });
      case 5:
        return finish(made(input, true, [&] { return threadsafe_pool_take(one.open, given, &name); }), [&] {
          if (!pool_.has(pool_.tokens, given)) return THREADSAFE_ENDED;
          pool_.move(pool_.tokens, given, &pool_.leases, name);
          return THREADSAFE_OK;
        });
      default:
        return check(one, made(input, true, [&] { return threadsafe_pool_release(one.open, given); }), [&] {
          if (!pool_.has(pool_.leases, given)) return THREADSAFE_ENDED;
          pool_.move(pool_.leases, given, nullptr, 0);
          return THREADSAFE_OK;
        });
    }
  }

  void live(u32 object, Input& input) {
    const bool alone = way_ != Way::threads;
    switch (object) {
      case 0:
        return numbers_.handles.live(input, alone);
      case 1:
        return texts_.handles.live(input, alone);
      case 2:
        return event_.handles.live(input, alone);
      case 3:
        return record_.handles.live(input, alone);
      case 4:
        return message_.handles.live(input, alone);
      case 5:
        return lock_.handles.live(input, alone);
      default:
        return pool_.handles.live(input, alone);
    }
  }

  const Way way_;
  CapiQueue numbers_;
  CapiQueue texts_;
  CapiEvent event_;
  CapiRecord record_{ElementType::record};
  CapiMessage message_{ElementType::bytes};
  CapiLock lock_;
  CapiPool pool_;
  std::atomic<u32> turn_{0};
  std::atomic<u32> names_[4] = {};
  // The handler's objects, which were opened first. Nobody closes them while there are threads.
  struct {
    threadsafe_queue* numbers;
    threadsafe_queue* texts;
    threadsafe_event* event;
    threadsafe_record* record;
    threadsafe_message* message;
    threadsafe_pool* pool;
  } struck_{};

 public:
  void arm() {
    Input first({});
    struck_ = {numbers_.handles.pick(first).open, texts_.handles.pick(first).open,   event_.handles.pick(first).open,
               record_.handles.pick(first).open,  message_.handles.pick(first).open, pool_.handles.pick(first).open};
  }
};

// Two threads make calls. The third strikes them, or overwrites memory.
void run_threads(Calls& calls, Input& input) {
  constexpr u32 kMostSteps = 48;
  calls.arm();
  std::atomic<pthread_t> threads[2] = {};
  std::atomic<u32> working{2};
  std::atomic<u32> striking{1};
  Crew::instance().run([&](u32 k) {
    Input own = input.third(k);
    if (k == 2) {
      for (u32 step = 0; step < kMostSteps && !own.is_over(); step++) {
        const pthread_t struck = threads[step % 2].load();
        if (own.byte() % 4 == 0) calls.memory().scribble(own);
        if (struck && working.load() == 2) pthread_kill(struck, SIGUSR1);
      }
      striking = 0;
      return;
    }
    on_signal = [](void* data) { static_cast<Calls*>(data)->strike(); };
    signal_data = &calls;
    threads[k] = pthread_self();
    for (u32 step = 0; step < kMostSteps && !own.is_over(); step++) calls.call(own, 1 + k);
    working--;
    while (striking) std::this_thread::yield();
    on_signal = nullptr;
  });
}

}  // namespace
}  // namespace fuzz
}  // namespace threadsafe

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  struct sigaction action{};
  action.sa_handler = threadsafe::fuzz::handle_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  return threadsafe::start_unparking();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace threadsafe::fuzz;
  Input input({data, size});
  Calls calls(input);
  if (calls.way() == Way::threads) {
    run_threads(calls, input);
    return 0;
  }
  for (threadsafe::u32 step = 0; step < 96 && !input.is_over(); step++) {
    if (calls.way() == Way::scribbles && input.byte() % 4 == 0) calls.memory().scribble(input);
    calls.call(input, 1);
  }
  return 0;
}
