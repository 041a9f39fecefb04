// A record in the test's own memory.
#pragma once

#include "../core/buffers.h"
#include "../core/record.h"
#include "support.h"

namespace threadsafe::test {

class TestRecord {
 public:
  explicit TestRecord(u32 bytes) : memory_(bytes_needed(bytes)), header_(*static_cast<SnapshotHeader*>(memory_.data())) {
    lay_out(header_.geometry, ElementType::record, bytes);
    geometry_ = header_.geometry;
    header_.free.store(all_free(), memory_order_relaxed);
  }

  SnapshotHeader& header() { return header_; }
  const SnapshotGeometry& geometry() const { return geometry_; }
  Buffers buffers() { return buffers_in(header_, geometry_); }
  Snapshot<Buffers, ThreadWake> core() { return {header_, buffers(), ThreadWake{}}; }

  // The bits of all buffers but the current one, which is the first.
  u64 all_free() const { return (~u64{0} >> (kMostBuffers - geometry_.count)) - 1; }
  u32 free() const { return static_cast<u32>(std::popcount(header_.free.load(memory_order_relaxed))); }

  // Makes one try of a read.
  template <class Value>
  Status try_read(Value& value, u64& word) {
    return core().try_read(word, [&](u32 index) { buffers().read(index, 0, &value, sizeof value); });
  }

  template <class Value>
  u64 read(Value& value) {
    u64 word = 0;
    CHECK(until_not_busy([&] { return try_read(value, word); }, [] { return true; }) == Status::ok);
    return version_in(word);
  }

  // Makes one try to write that part over the content. between() is called while the buffer is
  // claimed.
  template <class Between>
  Status try_write(u32 at, const void* from, u32 bytes, Between&& between) {
    u64 word = core().begin();
    return core().try_write(word, false, [&](u32 index) {
      buffers().copy(index_in(word), index);
      between();
      buffers().write(index, at, from, bytes);
    });
  }
  Status try_write(u32 at, const void* from, u32 bytes) {
    return try_write(at, from, bytes, [] {});
  }

 private:
  static std::size_t bytes_needed(u32 bytes) {
    SnapshotGeometry geometry;
    lay_out(geometry, ElementType::record, bytes);
    return geometry.staging;
  }

  Memory memory_;
  SnapshotHeader& header_;
  SnapshotGeometry geometry_{};
};

}  // namespace threadsafe::test
