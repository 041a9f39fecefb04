// Every call of a queue of every kind, while its memory is overwritten. Before the queue is opened
// the geometry is overwritten too, after which it is mostly refused.
#include <cstddef>

#include "../core/select.h"
#include "../core/slots.h"
#include "scribble.h"

namespace threadsafe::fuzz {
namespace {

constexpr ElementType kTypes[] = {ElementType::any,     ElementType::string, ElementType::bytes, ElementType::float64,
                                  ElementType::boolean, ElementType::record, ElementType::array};
constexpr u32 kMostCapacity = 40;  // more than the longest run of a batch
constexpr u32 kMostItemBytes = 72;
constexpr u32 kEach = 2 * kMostItemBytes;  // the longest message of a batch

// The options with which a queue is made.
struct Made {
  explicit Made(Input& input) {
    const ElementType type = kTypes[input.below(sizeof kTypes / sizeof *kTypes)];
    const u32 capacity = 1 + input.below(kMostCapacity);
    const u32 item_bytes = is_cell(type) ? kCellStride - kStampBytes : 1 + input.below(kMostItemBytes);
    bytes = lay_out(geometry, type, capacity, item_bytes);
    geometry.overflow = static_cast<Overflow>(input.below(3));
  }

  Geometry geometry{};
  u64 bytes;
};

// The caller's memory for items. It has exactly the stated length, so the sanitizer sees accesses
// beyond it.
class Items {
 public:
  explicit Items(u64 bytes) : bytes_(new std::byte[static_cast<std::size_t>((bytes + 7) / 8 * 8)]()) {}
  std::byte* data() { return bytes_.get(); }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

template <class Slots>
class QueueCalls {
 public:
  QueueCalls(QueueHeader& header, const Geometry& geometry, const Slots& slots, Input& input, u32 thread)
      : header_(header), geometry_(geometry), slots_(slots), queue_(header, geometry_, slots, FuzzWake{}), input_(input), thread_(thread) {}

  void make() {
    const u32 call = input_.below(24);
    if (call < 8) return one_item(call);
    if (call < 14) return waiting_put(call);
    if (call < 18) return several(call);
    others(call);
  }

 private:
  u32 some_bytes() {
    if (!spans(geometry_.type)) return geometry_.item_bytes;
    // Some messages are longer than the queue can hold, and the ring must find no room for them.
    return static_cast<u32>(input_.below(4) == 0 ? input_.value() % (2 * geometry_.most_bytes()) : input_.below(2 * kMostItemBytes));
  }

  void check(const Span& span) {
    require(span.index < geometry_.capacity, "a span begins within the ring");
    require(span.slots > 0 && span.slots <= geometry_.capacity, "a span has slots of the ring");
    require(span.bytes <= geometry_.most_bytes() || span.slots == 1, "a span is not longer than the ring");
  }

  // Puts some bytes, all of which are there.
  template <class Put>
  void put(Put&& call) {
    const u32 bytes = some_bytes();
    Items items(bytes);
    call(bytes, [&](const Span& span) {
      check(span);
      copy_in(span, items.data());
    });
  }

  // Gets into a buffer of some limit.
  template <class Get>
  void get(Get&& call) {
    const u32 limit = spans(geometry_.type) ? input_.below(4 * kMostItemBytes) : geometry_.item_bytes;
    Items items(limit);
    call(spans(geometry_.type) ? limit : ~u32{0}, [&](const Span& span) {
      check(span);
      copy_out(span, items.data());
    });
  }

  void copy_in(const Span& span, const std::byte* from) {
    if constexpr (Slots::kMaySpan) {
      slots_.copy_in({span.index, span.slots, fixed(span)}, from);
    } else {
      std::memcpy(&slots_.template value<u64>(span.index), from, sizeof(u64));
    }
  }
  void copy_out(const Span& span, std::byte* to) {
    if constexpr (Slots::kMaySpan) {
      slots_.copy_out({span.index, span.slots, fixed(span)}, to);
    } else {
      std::memcpy(to, &slots_.template value<u64>(span.index), sizeof(u64));
    }
  }
  // Returns the bytes to read. Items of fixed size have that size, whatever their stamp says.
  u32 fixed(const Span& span) const { return spans(geometry_.type) ? span.bytes : geometry_.item_bytes; }

  void one_item(u32 call) {
    switch (call) {
      case 0:
        return put([&](u32 bytes, auto write) { queue_.try_put(bytes, write); });
      case 1:
        return put([&](u32 bytes, auto write) { queue_.offer(bytes, write); });
      case 2:
        return put([&](u32 bytes, auto write) { settle(brief_patience(), [&] { return queue_.attempt_offer(bytes, write); }); });
      case 3:
        return get([&](u32 limit, auto read) { queue_.try_get(limit, read); });
      case 4:
        return get([&](u32 limit, auto read) { settle(brief_patience(), [&] { return queue_.attempt_get(limit, read); }); });
      case 5:
        return peek();
      case 6: {
        const u32 time = 4 * input_.byte();
        return get([&](u32 limit, auto read) {
          auto parker = brief_parker(header_.not_empty, time);
          queue_.get(parker, limit, read);
        });
      }
      default: {
        const u32 time = 4 * input_.byte();
        return put([&](u32 bytes, auto write) {
          auto parker = brief_parker(header_.not_full, time);
          queue_.put(parker, thread_, bytes, write);
        });
      }
    }
  }

  void peek() {
    get([&](u32 limit, auto) {
      Items items(geometry_.most_bytes());
      queue_.try_peek(limit, [&](const Span& span) {
        check(span);
        if constexpr (Slots::kMaySpan) slots_.copy_out_unclaimed(span, 0, items.data(), fixed(span));
      });
    });
  }

  void waiting_put(u32 call) {
    const Putter putter{thread_, input_.byte() % 2 == 0};
    switch (call) {
      case 8:
      case 9:
        return put([&](u32 bytes, auto write) { queue_.attempt_waiting_put(putter, call == 9, bytes, write); });
      case 10:
        return put([&](u32 bytes, auto write) { queue_.put_past_token(bytes, write); });
      case 11:
        return queue_.give_up_token(putter);
      case 12:
        announce_loop(header_.not_full, input_.below(kMaxLoops));
        return queue_.withdraw_from_puts(input_.below(kMaxLoops));
      default:
        announce_loop(header_.not_empty, input_.below(kMaxLoops));
        return queue_.withdraw_from_gets(input_.below(kMaxLoops));
    }
  }

  // Batches: of fixed-size items by index, of messages one by one.
  void several(u32 call) {
    const u32 most = input_.below(geometry_.capacity + 3);
    u32 done = 0;
    if (spans(geometry_.type)) {
      if constexpr (Slots::kMaySpan) messages(call, most);
      return;
    }
    const auto run = [&](u32 index, u32 k, u32 n) {
      require(index < geometry_.capacity && n <= geometry_.capacity - index, "a run lies within the ring");
      require(k + n <= most, "a run is of those asked for");
    };
    const auto each = [&](u32 index, u32 k) { run(index, k, 1); };
    const u32 bytes = geometry_.item_bytes;
    switch (call) {
      case 14:
        queue_.try_put_many(most, bytes, done, run);
        break;
      case 15:
        queue_.try_get_many(most, done, run);
        break;
      case 16:
        queue_.try_put_in_runs(most, bytes, done, each);
        break;
      default:
        queue_.try_get_in_runs(most, done, each);
        break;
    }
    require(done <= most, "not more were done than asked for");
  }

  void messages(u32 call, u32 most) {
    u32 done = 0;
    if (call % 2 == 0) {
      Items items(kEach);
      queue_.try_put_messages(
          most, done, [&](u32) { return input_.below(kEach); },
          [&](const Span& span, u32) {
            check(span);
            slots_.copy_in(span, 0, items.data(), span.bytes);
          });
    } else {
      Items items(kEach);
      queue_.try_get_messages(
          most, done, [] { return kEach; },
          [](const auto& bytes) {
            for (const u32 of_one : bytes) {
              if (of_one > kEach) return false;
            }
            return true;
          },
          [&](const Span& span, u32) {
            check(span);
            slots_.copy_out(span, 0, items.data(), span.bytes);
          });
    }
    require(done <= most, "not more were done than asked for");
  }

  void others(u32 call) {
    switch (call) {
      case 18:
        queue_.clear(brief_patience());
        return;
      case 19:
        return queue_.close();
      case 20:
        return queue_.discard(brief_patience());
      case 21:
        queue_.task_done(input_.below(3));
        return;
      case 22: {
        const JoinStart start = queue_.join_start();
        announce_loop(header_.all_done, input_.below(kMaxLoops));
        queue_.all_done(start);
        queue_.stats();
        return;
      }
      default:
        require(queue_.size() <= geometry_.capacity, "a size is at most the capacity");
        require(queue_.next_bytes() <= geometry_.most_bytes(), "a next length is at most the longest");
        queue_.full();
        queue_.has_room(input_.below(kMostCapacity));
        queue_.has_item();
        (void)get_ready(header_, geometry_, slots_);
        queue_.pass_on_get();
        queue_.pass_on_put();
    }
  }

  QueueHeader& header_;
  const Geometry& geometry_;
  const Slots& slots_;
  Queue<Slots, FuzzWake> queue_;
  Input& input_;
  const u32 thread_;
};

class QueueTarget {
 public:
  explicit QueueTarget(const Made& made) : memory_(made.geometry.staging), bytes_(made.bytes) { header().geometry = made.geometry; }

  ObjectMemory& memory() { return memory_; }

  // Returns false if it is refused.
  bool open() { return checked_geometry(header(), bytes_, geometry_); }

  // Overwrites the geometry.
  void forge(Input& input) {
    auto* const words = reinterpret_cast<u32*>(&header().geometry);
    words[input.below(sizeof(Geometry) / sizeof(u32))] = static_cast<u32>(input.value());
  }

  void call(Input& input, u32 thread) {
    // Makes the call as the addon or as WebAssembly does.
    const bool straight = input.byte() % 2 == 0;
    if (straight && is_cell(geometry_.type)) {
      QueueCalls(header(), geometry_, CellSlots(header()), input, thread).make();
    } else if (straight) {
      QueueCalls(header(), geometry_, StraightSlots(header(), geometry_), input, thread).make();
    } else {
      QueueCalls(header(), geometry_, StridedSlots(header(), geometry_), input, thread).make();
    }
  }

 private:
  QueueHeader& header() { return memory_.header<QueueHeader>(); }

  ObjectMemory memory_;
  const u64 bytes_;
  Geometry geometry_{};
};

}  // namespace
}  // namespace threadsafe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace threadsafe::fuzz;
  Input input({data, size});
  QueueTarget target{Made(input)};
  for (threadsafe::u32 words = input.byte() % 8; words > 4; words--) target.forge(input);
  if (target.open()) run(target, input);
  return 0;
}
