// Every call of a record and of a message, while their memory is overwritten.
#include "../core/buffers.h"
#include "../core/record.h"
#include "scribble.h"

namespace threadsafe::fuzz {
namespace {

constexpr u32 kMostBytes = 300;

struct Made {
  explicit Made(Input& input) {
    const auto type = static_cast<ElementType>(input.below(static_cast<u32>(ElementType::array) + 1));
    // Makes few buffers, with a stride of pages, or as many as there can be.
    bytes = lay_out(geometry, type, input.byte() % 8 == 0 ? 4096 + input.byte() : 1 + input.below(kMostBytes));
  }

  SnapshotGeometry geometry{};
  u64 bytes;
};

class RecordTarget {
 public:
  explicit RecordTarget(const Made& made) : memory_(made.geometry.staging), bytes_(made.bytes) {
    header().geometry = made.geometry;
    header().free.store((~u64{0} >> (kMostBuffers - made.geometry.count)) - 1, memory_order_relaxed);
  }

  ObjectMemory& memory() { return memory_; }

  // Returns false if it is refused.
  bool open() { return checked_geometry(header(), bytes_, geometry_); }

  // Overwrites the geometry.
  void forge(Input& input) {
    auto* const words = reinterpret_cast<u32*>(&header().geometry);
    words[input.below(sizeof(SnapshotGeometry) / sizeof(u32))] = static_cast<u32>(input.value());
  }

  void call(Input& input, u32 thread) {
    const Buffers buffers = buffers_in(header(), geometry_);
    Snapshot record(header(), buffers, FuzzWake{});
    switch (input.below(8)) {
      case 0:
      case 1:
        return read(record, buffers);
      case 2:
      case 3:
        return set(record, buffers, input);
      case 4:
      case 5:
        return merge(record, buffers, input);
      case 6: {
        auto parker = brief_parker(header().changed, 4 * input.byte());
        record.wait(parker, input.byte() % 2 == 0 ? version_in(record.word()) : input.value());
        return;
      }
      default:
        record.clear();
        announce_loop(header().changed, input.below(kMaxLoops));
        return withdraw_loop(header().changed, thread, [] {});
    }
  }

 private:
  using Record = Snapshot<Buffers, FuzzWake>;

  SnapshotHeader& header() { return memory_.header<SnapshotHeader>(); }

  void check(u32 index) const { require(index < geometry_.count, "a buffer is one of the record's"); }

  // Reads as the addon reads a message: as much as its buffer says, but no more than there is.
  void read(const Record& record, const Buffers& buffers) {
    const std::unique_ptr<std::byte[]> content(new std::byte[geometry_.bytes]);
    u64 word = 0;
    u32 length = 0;
    const auto copy = [&](u32 index) {
      check(index);
      length = buffers.length(index);
      buffers.read(index, 0, content.get(), length < geometry_.bytes ? length : geometry_.bytes);
    };
    const auto status = until_not_busy([&] { return record.try_read(word, copy); }, HandlerPatience());
    require(status == Status::ok || status == Status::busy || status == Status::damaged, "a read is good, busy or damaged");
  }

  // Writes a value that replaces everything.
  void set(Record& record, const Buffers& buffers, Input& input) {
    const u32 length = input.below(geometry_.bytes + 1);
    const std::unique_ptr<std::byte[]> content(new std::byte[length]());
    const bool is_set = input.byte() % 2 == 0;
    const auto fill = [&](u32 index) {
      check(index);
      buffers.set_length(index, length);
      buffers.write(index, 0, content.get(), length);
    };
    const auto publish = [&] {
      u64 word = record.begin();
      return record.try_write(word, is_set, fill, true);
    };
    until_not_busy(publish, HandlerPatience());
  }

  // Writes a part over the current content.
  void merge(Record& record, const Buffers& buffers, Input& input) {
    const u32 at = input.below(geometry_.bytes);
    const u32 length = input.below(geometry_.bytes - at + 1);
    const std::unique_ptr<std::byte[]> content(new std::byte[length]());
    const auto publish = [&] {
      u64 word = record.begin();
      return record.try_write(word, false, [&](u32 index) {
        check(index);
        check(index_in(word));
        buffers.copy(index_in(word), index);
        buffers.write(index, at, content.get(), length);
      });
    };
    until_not_busy(publish, HandlerPatience());
  }

  ObjectMemory memory_;
  const u64 bytes_;
  SnapshotGeometry geometry_{};
};

}  // namespace
}  // namespace threadsafe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace threadsafe::fuzz;
  Input input({data, size});
  RecordTarget target{Made(input)};
  for (threadsafe::u32 words = input.byte() % 8; words > 4; words--) target.forge(input);
  if (target.open()) run(target, input);
  return 0;
}
