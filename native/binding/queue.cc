// The functions of a queue that lib/lane and lib/queue call. Items pass through the thread's
// buffer, which the environment owns. A function returns its status as a number; one that returns a
// length returns a negated status.
#include "../core/queue.h"

#include <algorithm>
#include <utility>

#include "../core/select.h"
#include "../core/slots.h"
#include "../platform/patience.h"
#include "binding.h"
#include "items.h"
#include "object.h"

namespace threadsafe {
namespace {

class QueueObject final : public SharedObject {
 public:
  // { object, wake }
  static Napi::Object open(Napi::Env env, Napi::Uint8Array view, const FoundQueue& queue) {
    return opened<&QueueObject::wake>(env, new QueueObject(env, view, queue));
  }

  // The functions that take such an object as their first argument.
  static Napi::Object functions(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["put"] = function<QueueObject, &QueueObject::put>(env, "put");
    object["offer"] = function<QueueObject, &QueueObject::offer>(env, "offer");
    object["putFirst"] = function<QueueObject, &QueueObject::put_first>(env, "putFirst");
    object["putWaiting"] = function<QueueObject, &QueueObject::put_waiting>(env, "putWaiting");
    object["heldBack"] = function<QueueObject, &QueueObject::held_back>(env, "heldBack");
    object["giveUpToken"] = function<QueueObject, &QueueObject::give_up_token>(env, "giveUpToken");
    object["putBlocking"] = function<QueueObject, &QueueObject::put_blocking>(env, "putBlocking");
    object["get"] = function<QueueObject, &QueueObject::get>(env, "get");
    object["getFirst"] = function<QueueObject, &QueueObject::get_first>(env, "getFirst");
    object["getBlocking"] = function<QueueObject, &QueueObject::get_blocking>(env, "getBlocking");
    object["putPacked"] = function<QueueObject, &QueueObject::put_packed>(env, "putPacked");
    object["putPackedWaiting"] = function<QueueObject, &QueueObject::put_packed_waiting>(env, "putPackedWaiting");
    object["putPackedBlocking"] = function<QueueObject, &QueueObject::put_packed_blocking>(env, "putPackedBlocking");
    object["putMany"] = function<QueueObject, &QueueObject::put_many>(env, "putMany");
    object["putManyBlocking"] = function<QueueObject, &QueueObject::put_many_blocking>(env, "putManyBlocking");
    object["getMany"] = function<QueueObject, &QueueObject::get_many>(env, "getMany");
    object["peek"] = function<QueueObject, &QueueObject::peek>(env, "peek");
    object["clear"] = function<QueueObject, &QueueObject::clear>(env, "clear");
    object["stats"] = function<QueueObject, &QueueObject::stats>(env, "stats");
    object["taskDone"] = function<QueueObject, &QueueObject::task_done>(env, "taskDone");
    object["joinStart"] = function<QueueObject, &QueueObject::join_start>(env, "joinStart");
    object["allDone"] = function<QueueObject, &QueueObject::all_done>(env, "allDone");
    object["announceJoin"] = function<QueueObject, &QueueObject::announce_join>(env, "announceJoin");
    object["waiting"] = function<QueueObject, &QueueObject::waiting>(env, "waiting");
    object["nextBytes"] = function<QueueObject, &QueueObject::next_bytes>(env, "nextBytes");
    object["announce"] = function<QueueObject, &QueueObject::announce>(env, "announce");
    object["withdraw"] = function<QueueObject, &QueueObject::withdraw>(env, "withdraw");
    object["close"] = function<QueueObject, &QueueObject::close>(env, "close");
    object["discard"] = function<QueueObject, &QueueObject::discard>(env, "discard");
    object["size"] = function<QueueObject, &QueueObject::size>(env, "size");
    object["full"] = function<QueueObject, &QueueObject::full>(env, "full");
    object["closed"] = function<QueueObject, &QueueObject::closed>(env, "closed");
    return object;
  }

 private:
  QueueObject(Napi::Env env, Napi::Uint8Array view, const FoundQueue& found)
      : SharedObject(Environment::of(env), view),
        header_(*found.header),
        geometry_(found.geometry),
        slots_(header_, geometry_),
        queue_(header_, geometry_, slots_, ThreadWake{}),
        held_back_(header_, environment().thread_number()) {}

  WaitList& get_list() override { return header_.not_empty; }
  bool ready(u64) override { return get_ready(header_, geometry_, slots_); }
  void pass_on() override { queue_.pass_on_get(); }

  void withdraw_and_wake() override {
    count_calls(0, 0);
    count_calls(1, 0);
    queue_.give_up_token({environment().thread_number(), false});
    queue_.give_up_token({environment().thread_number(), true});
    if (environment().doorbell() == kNoDoorbell) {
      queue_.pass_on_get();
      queue_.pass_on_put();
    } else {
      queue_.withdraw_from_gets(environment().doorbell());
      queue_.withdraw_from_puts(environment().doorbell());
      // Whoever wakes joins wakes all of them, so there is nothing to pass on.
      take_loop(header_.all_done, environment().doorbell());
    }
  }

  // The list of that number: see WaitFor.
  WaitList& list(const Napi::Value& number) { return list(number.As<Napi::Number>().Uint32Value()); }

  static bool is_for_item(u32 number) { return number == static_cast<u32>(WaitFor::item); }

  WaitList& list(u32 number) { return is_for_item(number) ? header_.not_empty : header_.not_full; }

  // Notes how many asynchronous calls of this isolate wait there.
  void count_calls(u32 number, u32 calls) {
    list(number).calls.fetch_add(calls - calls_[number], memory_order_relaxed);  // a count, which orders nothing
    calls_[number] = calls;
  }

  static u32 length(const Napi::CallbackInfo& info) { return info[1].As<Napi::Number>().Uint32Value(); }

  // Puts the item that JavaScript has written, whose length is an argument. put(bytes, write) is
  // not called if the buffer is shorter than that.
  template <class Put>
  Napi::Value put_by(const Napi::CallbackInfo& info, std::size_t longer, Put&& put) {
    const Passage passage(environment(), geometry_.type, info, longer);
    const u32 bytes = length(info);
    if (bytes > passage.limit()) {
      Napi::RangeError::New(info.Env(), "threadsafe: the item's buffer was taken away").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    return result(info, put(bytes, [&](const Span& span) { passage.copy_in(slots_, span); }));
  }

  // Gets by get(limit, read). Returns the item's length, or a negated status.
  template <class Get>
  Napi::Value get_by(const Napi::CallbackInfo& info, std::size_t longer, Get&& get) {
    const Passage passage(environment(), geometry_.type, info, longer);
    u32 length = 0;
    const Status status = get(passage.limit(), [&](const Span& span) {
      passage.copy_out(slots_, span);
      length = span.bytes;
    });
    return result(info, status, length);
  }

  // (list)
  Napi::Value wake(const Napi::CallbackInfo& info) {
    WaitList& woken = list(info[0]);
    if (&woken == &header_.not_empty) {
      ThreadWake{}.one(woken);
    } else {
      queue_.wake_putters();
    }
    return info.Env().Undefined();
  }

  // Attempts whose result is exact, since they wait for another's copy that decides: full or empty
  // only if the queue was.
  template <class Attempt>
  Status settle_put(Attempt&& attempt) {
    auto stops = stop_check();
    return stuck_.settle_put(queue_, Patience(stops), attempt);
  }
  template <class Attempt>
  Status settle_get(Attempt&& attempt) {
    auto stops = stop_check();
    return stuck_.settle_get(queue_, Patience(stops), attempt);
  }

  // The status of a blocking call. Its deadline may have passed while somebody was in the middle of
  // a copy; then it waits for that.
  template <class Settle>
  static Status after_blocking(Status status, Settle&& settle) {
    if (status != Status::busy) return status;
    status = settle();
    return status == Status::full || status == Status::empty ? Status::timeout : status;
  }

  // (length, longer): as in Passage.
  Napi::Value put(const Napi::CallbackInfo& info) {
    return put_by(info, 2, [this](u32 bytes, auto write) { return settle_put([&] { return queue_.attempt_put(bytes, write); }); });
  }

  // (length, longer)
  Napi::Value offer(const Napi::CallbackInfo& info) {
    return put_by(info, 2, [this](u32 bytes, auto write) {
      auto stops = stop_check();
      return stuck_.settle_offer(queue_, Patience(stops), [&] { return queue_.attempt_offer(bytes, write); });
    });
  }

  // Attempts of a put that may wait: the first takes (length, longer), those after it take (length,
  // woken, longer). The first does not count as the loop's: a blocking call makes it as well,
  // beside a waiting put of the loop that may have the token.
  Napi::Value put_first(const Napi::CallbackInfo& info) { return attempt_waiting_put(info, false, false, 2); }
  Napi::Value put_waiting(const Napi::CallbackInfo& info) {
    return attempt_waiting_put(info, true, info[2].As<Napi::Boolean>().Value(), 3);
  }

  Napi::Value attempt_waiting_put(const Napi::CallbackInfo& info, bool of_loop, bool woken, std::size_t longer) {
    return put_by(info, longer, [&](u32 bytes, auto write) { return try_waiting_put(of_loop, woken, bytes, write); });
  }

  template <class Write>
  Status try_waiting_put(bool of_loop, bool woken, u32 bytes, Write&& write) {
    Status status = queue_.attempt_waiting_put({environment().thread_number(), of_loop}, woken, bytes, write);
    if (status == Status::full && held_back_.too_long()) status = queue_.put_past_token(bytes, write);
    // No need to wait for another's copy, as its maker rings.
    return status == Status::busy ? Status::full : status;
  }

  // Puts messages that lie one after the other in a Uint8Array of the package's own. Each has its
  // length in front, in 8 bytes, and ends at a multiple of 8. Calls put(bytes, write) for each,
  // until one is not ok. Returns how many were, plus the last status times 2^32. That is one
  // number, since an isolate that is being stopped can't be given an object with properties, and
  // half of a result would be worse than none.
  template <class Put>
  Napi::Value put_each(const Napi::CallbackInfo& info, Put&& put) {
    void* data = nullptr;
    std::size_t size = 0;
    napi_get_typedarray_info(info.Env(), info[1], nullptr, &size, &data, nullptr, nullptr);
    std::size_t at = info[2].As<Napi::Number>().Uint32Value();
    const u32 count = info[3].As<Napi::Number>().Uint32Value();
    Status status = Status::ok;
    u32 done = 0;
    for (; done < count && status == Status::ok; done += status == Status::ok) {
      const auto* const from = static_cast<const std::byte*>(data) + at;
      u32 bytes;
      std::memcpy(&bytes, from, sizeof bytes);
      status = put(bytes, [&](const Span& span) { slots_.copy_in(span, from + kHeadBytes); });
      at += kHeadBytes + round_up(bytes, kHeadBytes);
    }
    return Napi::Number::New(info.Env(), static_cast<double>(pack(static_cast<u32>(status), done)));
  }

  // (view, from, count): puts the messages that lie there.
  Napi::Value put_packed(const Napi::CallbackInfo& info) {
    return put_each(info, [this](u32 bytes, auto write) { return settle_put([&] { return queue_.attempt_put(bytes, write); }); });
  }

  // (view, from, count, of the loop, woken): attempts puts that may wait. Only the first of them
  // may have waited.
  Napi::Value put_packed_waiting(const Napi::CallbackInfo& info) {
    const bool of_loop = info[4].As<Napi::Boolean>().Value();
    bool woken = info[5].As<Napi::Boolean>().Value();
    return put_each(info, [&](u32 bytes, auto write) { return try_waiting_put(of_loop, std::exchange(woken, false), bytes, write); });
  }

  Napi::Value give_up_token(const Napi::CallbackInfo& info) {
    queue_.give_up_token({environment().thread_number(), true});
    return info.Env().Undefined();
  }

  // Whether a put that waits in this loop is held back by another's priority token.
  Napi::Value held_back(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), held_back_.now()); }

  // (length, timeout, longer)
  Napi::Value put_blocking(const Napi::CallbackInfo& info) {
    const Deadline until = deadline(info[2]);
    return put_by(info, 3, [&](u32 bytes, auto write) { return block_to_put(until, bytes, write); });
  }

  // (view, from, count, timeout)
  Napi::Value put_packed_blocking(const Napi::CallbackInfo& info) {
    const Deadline until = deadline(info[4]);
    return put_each(info, [&](u32 bytes, auto write) { return block_to_put(until, bytes, write); });
  }

  template <class Write>
  Status block_to_put(const Deadline& until, u32 bytes, Write&& write) {
    keep_memory();
    const u32 putter = environment().thread_number();
    HeldBack held_back(header_, putter);
    const auto interrupted = [&] { return environment().interrupted() || held_back.too_long(); };
    StopCheck stops(interrupted, spans(geometry_.type) ? environment().stop_intervals(kHeldBackInterval) : environment().stop_intervals());
    const auto wait = [&] {
      ThreadParker waiting(header_.not_full, until, stops);
      return queue_.put(waiting, putter, bytes, write);
    };
    const Status status = put_heeding_token(held_back, wait, [&] { return queue_.put_past_token(bytes, write); });
    return after_blocking(status,
                          [&] { return settle_put([&] { return queue_.attempt_waiting_put({putter, false}, false, bytes, write); }); });
  }

  // (longer)
  Napi::Value get(const Napi::CallbackInfo& info) {
    return get_by(info, 1, [this](u32 limit, auto read) { return settle_get([&] { return queue_.attempt_get(limit, read); }); });
  }

  // (longer): the first try of a get that may wait.
  Napi::Value get_first(const Napi::CallbackInfo& info) {
    return get_by(info, 1, [this](u32 limit, auto read) { return queue_.try_get(limit, read); });
  }

  // (timeout, longer)
  Napi::Value get_blocking(const Napi::CallbackInfo& info) {
    keep_memory();
    auto stops = stop_check();
    ThreadParker waiting(header_.not_empty, deadline(info[1]), stops);
    return get_by(info, 2, [&](u32 limit, auto read) {
      const Status status = queue_.get(waiting, limit, read);
      return after_blocking(status, [&] { return settle_get([&] { return queue_.attempt_get(limit, read); }); });
    });
  }

  // (view, first): puts items of a type of fixed size, from that one on, as many as there is room
  // for. Returns how many, or a negated status.
  Napi::Value put_many(const Napi::CallbackInfo& info) {
    const Items items(info, 2);
    u32 done = 0;
    const auto write = [&](u32 index, u32 k, u32 n) { items.copy_in(slots_, index, k, n); };
    const Status status = settle_put([&] { return queue_.try_put_many(items.count, items.bytes, done, write); });
    return result(info, status, done);
  }

  // (view, first, timeout): blocks until all are put. Returns what put_each() returns.
  Napi::Value put_many_blocking(const Napi::CallbackInfo& info) {
    keep_memory();
    const Items items(info, 2);
    const Deadline deadline = SharedObject::deadline(info[3]);
    auto stops = stop_check();
    u32 done = 0;
    const auto write = [&](u32 index, u32 k, u32 n) { items.copy_in(slots_, index, k, n); };
    Status status = queue_.put_many([&] { return ThreadParker(header_.not_full, deadline, stops); }, items.count, items.bytes, done, write);
    if (status == Status::busy) {
      u32 more = 0;
      const auto write_more = [&](u32 index, u32 k, u32 n) { write(index, done + k, n); };
      status = after_blocking(
          status, [&] { return settle_put([&] { return queue_.try_put_many(items.count - done, items.bytes, more, write_more); }); });
      done += more;
      if (status == Status::ok && done < items.count) status = Status::timeout;
    }
    return Napi::Number::New(info.Env(), static_cast<double>(pack(static_cast<u32>(status), done)));
  }

  // (view, first, end): fills the view, from one place to before another, with items of a type of
  // fixed size. Returns how many, or a negated status.
  Napi::Value get_many(const Napi::CallbackInfo& info) {
    const Items items(info, 2);
    const auto wanted = info[3].As<Napi::Number>().Int64Value() - info[2].As<Napi::Number>().Int64Value();
    const auto most = static_cast<u32>(std::min<std::int64_t>(wanted, items.count));
    u32 done = 0;
    const auto read = [&](u32 index, u32 k, u32 n) { items.copy_out(slots_, index, k, n); };
    const Status status = settle_get([&] { return queue_.try_get_many(most, done, read); });
    return result(info, status, done);
  }

  // (longer): copies the oldest item, which stays. Returns its length, or a negated status.
  Napi::Value peek(const Napi::CallbackInfo& info) {
    const Passage passage(environment(), geometry_.type, info, 1);
    u32 length = 0;
    const auto look = [&](const Span& span) {
      passage.copy_out_unclaimed(slots_, span);
      length = span.bytes;
    };
    const Status status = settle_get([&] { return queue_.try_peek(passage.limit(), look); });
    return result(info, status, length);
  }

  Napi::Value clear(const Napi::CallbackInfo& info) {
    auto stops = stop_check();
    return Napi::Number::New(info.Env(), queue_.clear(Patience(stops)));
  }

  Napi::Value stats(const Napi::CallbackInfo& info) {
    const QueueStats stats = queue_.stats();
    Napi::Object result = Napi::Object::New(info.Env());
    const auto add = [&](const char* name, u32 count) { result[name] = Napi::Number::New(info.Env(), count); };
    add("depth", stats.depth);
    add("puts", stats.puts);
    add("gets", stats.gets);
    add("dropped", stats.dropped);
    add("discarded", stats.discarded);
    add("waitingGets", stats.waiting_gets);
    add("waitingPuts", stats.waiting_puts);
    add("unfinished", stats.unfinished);
    return result;
  }

  // (count): returns false if fewer were got.
  Napi::Value task_done(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), queue_.task_done(length(info))); }

  // Returns { times, puts }, which a join remembers when it begins.
  Napi::Value join_start(const Napi::CallbackInfo& info) {
    const JoinStart start = queue_.join_start();
    Napi::Object result = Napi::Object::New(info.Env());
    result["times"] = Napi::Number::New(info.Env(), start.times);
    result["puts"] = Napi::Number::New(info.Env(), start.puts);
    return result;
  }

  // (times, puts): whether a join that began with these is done.
  Napi::Value all_done(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), queue_.all_done({length(info), info[2].As<Napi::Number>().Uint32Value()}));
  }

  // Announces this loop for its joins, which must look after that.
  Napi::Value announce_join(const Napi::CallbackInfo& info) {
    announce_loop(header_.all_done, environment().doorbell());
    return info.Env().Undefined();
  }

  // (list, count): says how many asynchronous calls of this isolate wait there.
  Napi::Value waiting(const Napi::CallbackInfo& info) {
    count_calls(length(info), info[2].As<Napi::Number>().Uint32Value());
    return info.Env().Undefined();
  }

  Napi::Value next_bytes(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), queue_.next_bytes()); }

  // (list, calls): announces this loop, of which so many calls wait, and then looks, as wait.h
  // wants. Returns whether a get, or a put of one slot, could do something now.
  Napi::Value announce(const Napi::CallbackInfo& info) {
    const u32 number = length(info);
    count_calls(number, info[2].As<Napi::Number>().Uint32Value());
    announce_loop(list(number), environment().doorbell());
    return Napi::Boolean::New(info.Env(), is_for_item(number) ? queue_.get_ready() : queue_.put_ready());
  }

  // (list): withdraws; see wait.h, "A loop that was rung". Other evaluations of the package in this
  // isolate share the doorbell, and so are rung to announce themselves again.
  Napi::Value withdraw(const Napi::CallbackInfo& info) {
    const u32 number = length(info);
    count_calls(number, 0);
    if (is_for_item(number)) {
      queue_.withdraw_from_gets(environment().doorbell());
    } else {
      queue_.withdraw_from_puts(environment().doorbell());
    }
    if (environment().loop().has_several_listeners()) ring_doorbell(environment().doorbell(), &list(number));
    return info.Env().Undefined();
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    queue_.close();
    return info.Env().Undefined();
  }

  Napi::Value discard(const Napi::CallbackInfo& info) {
    auto stops = stop_check();
    queue_.discard(Patience(stops));
    return info.Env().Undefined();
  }

  Napi::Value size(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), queue_.size()); }
  Napi::Value full(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), queue_.full()); }
  Napi::Value closed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), queue_.closed()); }

  static Napi::Value result(const Napi::CallbackInfo& info, Status status) {
    return Napi::Number::New(info.Env(), static_cast<u32>(status));
  }

  static Napi::Value result(const Napi::CallbackInfo& info, Status status, u32 length) {
    return Napi::Number::New(info.Env(), status == Status::ok ? double{1} * length : -static_cast<double>(status));
  }

  QueueHeader& header_;
  const Geometry geometry_;
  const StridedSlots slots_;
  Queue<StridedSlots, ThreadWake> queue_;
  HeldBack held_back_;  // of this loop's puts
  Stuck stuck_;
  u32 calls_[2] = {0, 0};
};

// (type, capacity, item bytes): the bytes of memory that such a queue needs; 0 if they are too
// many.
Napi::Value queue_memory(const Napi::CallbackInfo& info) {
  const double capacity = info[1].As<Napi::Number>().DoubleValue();
  const double item_bytes = info[2].As<Napi::Number>().DoubleValue();
  if (capacity > kMaxSlots || item_bytes > double{kMaxBytes} / 2) return Napi::Number::New(info.Env(), 0);
  Geometry geometry{};
  const auto type = static_cast<ElementType>(info[0].As<Napi::Number>().Uint32Value());
  const u64 bytes = lay_out(geometry, type, static_cast<u32>(capacity), static_cast<u32>(item_bytes));
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

// (view, type, capacity, item bytes, overflow): makes zeroed memory of that size a queue.
Napi::Value init_queue(const Napi::CallbackInfo& info) {
  const auto number = [&](int argument) { return info[argument].As<Napi::Number>().Uint32Value(); };
  auto& header = make_object<QueueHeader>(info[0].As<Napi::Uint8Array>(), Kind::queue);
  lay_out(header.geometry, static_cast<ElementType>(number(1)), number(2), number(3));
  header.geometry.overflow = static_cast<Overflow>(number(4));
  return info.Env().Undefined();
}

// (view): the queue in that memory, with its properties, or undefined.
Napi::Value open_queue(const Napi::CallbackInfo& info) {
  auto view = info[0].As<Napi::Uint8Array>();
  const std::optional<FoundQueue> queue = queue_in(view);
  if (!queue) return info.Env().Undefined();
  const Geometry& geometry = queue->geometry;
  Napi::Object object = QueueObject::open(info.Env(), view, *queue);
  object["type"] = Napi::Number::New(info.Env(), static_cast<u32>(geometry.type));
  object["capacity"] = Napi::Number::New(info.Env(), geometry.capacity);
  object["itemBytes"] = Napi::Number::New(info.Env(), geometry.item_bytes);
  object["overflow"] = Napi::Number::New(info.Env(), static_cast<u32>(geometry.overflow));
  object["headBytes"] = Napi::Number::New(info.Env(), head_bytes(geometry.type));
  object["mostBytes"] = Napi::Number::New(info.Env(), static_cast<double>(geometry.most_bytes()));
  object["staging"] = Napi::Number::New(info.Env(), kOrigin + double{1} * geometry.staging);
  return object;
}

// The number of this thread's staging area; -1 if none was left.
Napi::Value staging_area(const Napi::CallbackInfo& info) {
  const u32 area = Environment::of(info.Env()).staging_area();
  return Napi::Number::New(info.Env(), area == kNoStagingArea ? -1 : double{1} * area);
}

}  // namespace

void export_queue(Napi::Env env, Napi::Object exports) {
  exports["queue"] = QueueObject::functions(env);
  exports["queueMemory"] = Napi::Function::New<queue_memory>(env, "queueMemory");
  exports["initQueue"] = Napi::Function::New<init_queue>(env, "initQueue");
  exports["stagingArea"] = Napi::Function::New<staging_area>(env, "stagingArea");
  exports["openQueue"] = Napi::Function::New<open_queue>(env, "openQueue");
}

}  // namespace threadsafe
