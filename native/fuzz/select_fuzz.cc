// Waiting at several objects at once, while their memory is overwritten: two queues of different
// kinds, an event and a message.
#include "../core/buffers.h"
#include "../core/event.h"
#include "../core/record.h"
#include "../core/select.h"
#include "../core/slots.h"
#include "scribble.h"

namespace threadsafe::fuzz {
namespace {

constexpr u32 kCapacity = 3;
constexpr u32 kItemBytes = 8;
constexpr u32 kSources = 4;

// One source of a wait, which does not own the object.
struct Source {
  WaitList& list() { return *waiters; }
  bool ready() { return look(); }
  void pass_on() { pass(); }

  WaitList* waiters;
  std::function<bool()> look;
  std::function<void()> pass;
};

struct FuzzQueue {
  explicit FuzzQueue(ElementType type) : memory(lay_out(type)) {}

  QueueHeader& header() { return memory.header<QueueHeader>(); }
  StridedSlots slots() { return {header(), geometry}; }
  Queue<StridedSlots, FuzzWake> core() { return {header(), geometry, slots(), FuzzWake{}}; }
  Source source() {
    return {&header().not_empty, [this] { return get_ready(header(), geometry, slots()); }, [this] { core().pass_on_get(); }};
  }

  void put() {
    const std::byte item[kItemBytes] = {};
    core().try_put(kItemBytes, [&](const Span& span) { slots().copy_in(span, item); });
  }
  void get() {
    std::byte item[kItemBytes];
    core().try_get(kItemBytes, [&](const Span& span) {
      if (span.bytes <= kItemBytes) slots().copy_out(span, item);
    });
  }

  Geometry geometry{};
  ObjectMemory memory;

 private:
  u64 lay_out(ElementType type) {
    threadsafe::lay_out(geometry, type, kCapacity, kItemBytes);
    return geometry.staging;
  }
};

class SelectTarget {
 public:
  explicit SelectTarget(Input& input) : last_(input.below(kSources)), message_(sizeof(SnapshotHeader)), event_(sizeof(EventHeader)) {}

  // Returns the memory of each object in turn.
  ObjectMemory& memory() {
    ObjectMemory* const all[] = {&numbers_.memory, &texts_.memory, &event_, &message_};
    return *all[last_.fetch_add(1, std::memory_order_relaxed) % kSources];
  }

  void call(Input& input, u32) {
    switch (input.below(8)) {
      case 0:
      case 1:
      case 2:
        return wait(input);
      case 3:
        return input.byte() % 2 == 0 ? numbers_.put() : texts_.put();
      case 4:
        return input.byte() % 2 == 0 ? numbers_.get() : texts_.get();
      case 5:
        return input.byte() % 2 == 0 ? event().set() : event().clear();
      case 6:
        message().current.fetch_xor(kMessageSet, memory_order_seq_cst);
        return FuzzWake{}.all(message().changed);
      default:
        return input.byte() % 2 == 0 ? numbers_.core().close() : texts_.core().close();
    }
  }

 private:
  SnapshotHeader& message() { return message_.header<SnapshotHeader>(); }
  Event<FuzzWake> event() { return Event(event_.header<EventHeader>(), FuzzWake{}); }

  // Waits at some of the objects.
  void wait(Input& input) {
    EventHeader& event_header = event_.header<EventHeader>();
    Source all[] = {numbers_.source(),
                    texts_.source(),
                    {&event_header.waiters, [this] { return event().is_set(); }, [] {}},
                    {&message().changed, [this] { return (message().current.load(memory_order_seq_cst) & kMessageSet) != 0; }, [] {}}};
    const u32 chosen = 1 + input.below((1 << kSources) - 1);
    std::vector<Source> sources;
    std::vector<Place> places;
    for (u32 k = 0; k < kSources; k++) {
      if ((chosen >> k & 1) == 0) continue;
      sources.push_back(all[k]);
      places.emplace_back(all[k].list());
    }
    StopCheck unstopped([] { return false; });
    ThreadParker parker(std::span<Place>(places), Deadline::after(4 * input.byte() / 1000.0), unstopped);
    const Status status = wait_any(sources, parker);
    require(status == Status::ok || status == Status::timeout, "a wait ends with something, or in time");
  }

  std::atomic<u32> last_;
  FuzzQueue numbers_{ElementType::float64};
  FuzzQueue texts_{ElementType::bytes};
  ObjectMemory message_;
  ObjectMemory event_;
};

}  // namespace
}  // namespace threadsafe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace threadsafe::fuzz;
  Input input({data, size});
  SelectTarget target(input);
  run(target, input);
  return 0;
}
