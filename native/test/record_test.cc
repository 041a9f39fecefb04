
#include <array>
#include <utility>

#include "record_support.h"

using namespace threadsafe;
using namespace threadsafe::test;

namespace {

constexpr u32 kBytes = 29;
using Bytes = std::array<unsigned char, kBytes>;

}  // namespace

TEST_SUITE_BEGIN("record");

TEST_CASE("a record has between 16 and 64 buffers") {
  SnapshotGeometry geometry;
  for (const auto& [bytes, count] : {std::pair{1u, 64u}, {112u, 64u}, {1100u, 56u}, {4000u, 16u}, {1'000'000u, 16u}}) {
    CHECK(lay_out(geometry, ElementType::record, bytes) != 0);
    CHECK(geometry.count == count);
    CHECK(geometry.stride >= kStampBytes + kLengthBytes + bytes);
    CHECK(geometry.stride % kLine == 0);
  }
  CHECK(lay_out(geometry, ElementType::record, 0x1000'0000) == 0);
}

TEST_CASE("any part of the content is written, and the rest stays") {
  TestRecord record(kBytes);
  Bytes expected{};
  u32 writes = 0;
  for (u32 at = 0; at < kBytes; at++) {
    for (u32 bytes = 0; at + bytes <= kBytes; bytes++) {
      Bytes part;
      part.fill(static_cast<unsigned char>(++writes));
      std::copy_n(part.begin(), bytes, expected.begin() + at);
      REQUIRE(record.try_write(at, part.data(), bytes) == Status::ok);
      Bytes found;
      REQUIRE(record.read(found) == writes);
      REQUIRE(found == expected);
    }
  }
  CHECK(record.free() == record.geometry().count - 1);
}

TEST_CASE("a part is read from any byte on") {
  TestRecord record(kBytes);
  Bytes content;
  for (u32 k = 0; k < kBytes; k++) content[k] = static_cast<unsigned char>(k + 1);
  REQUIRE(record.try_write(0, content.data(), kBytes) == Status::ok);
  const u32 index = index_in(record.core().word());
  for (u32 at = 0; at < kBytes; at++) {
    for (u32 bytes = 0; at + bytes <= kBytes; bytes++) {
      Bytes part{};
      record.buffers().read(index, at, part.data(), bytes);
      CHECK(std::equal(part.begin(), part.begin() + bytes, content.begin() + at));
    }
  }
}

TEST_CASE("handlers that interrupt each other publish until no buffer is left, and no buffer is lost") {
  TestRecord record(8);
  u32 published = 0;
  u32 busy = 0;
  std::function<void(u32)> nest = [&](u32 depth) {
    const u64 value = depth;
    const Status status = record.try_write(0, &value, sizeof value, [&] {
      if (depth < kMostBuffers + 3) nest(depth + 1);
    });
    (status == Status::ok ? published : busy)++;
    CHECK((status == Status::ok || status == Status::busy));
  };
  nest(0);
  // Only the innermost writer that had a buffer has published. All that it interrupted must merge
  // again.
  CHECK(published == 1);
  CHECK(busy == record.geometry().count - 1);
  CHECK(record.free() == record.geometry().count - 1);
  u64 value;
  CHECK(record.read(value) == 1);
  CHECK(value == record.geometry().count - 2);
  const u64 again = 5;
  CHECK(record.try_write(0, &again, sizeof again) == Status::ok);
}

TEST_CASE("a reader that is overtaken by as many writes as there are buffers reads again, and counts that") {
  TestRecord record(16);
  u64 written = 0;
  const auto write = [&] {
    written++;
    const u64 both[2] = {written, written};
    REQUIRE(record.try_write(0, both, sizeof both) == Status::ok);
  };
  const u32 count = record.geometry().count;
  for (u32 writes = 0; writes <= 2 * count; writes++) {
    const u32 before = record.header().retries.load(memory_order_relaxed);
    u64 found[2];
    u64 word = 0;
    const Status status = record.core().try_read(word, [&](u32 index) {
      record.buffers().read(index, 0, found, 8);
      for (u32 k = 0; k < writes; k++) write();
      record.buffers().read(index, 8, found + 1, 8);
    });
    CHECK(status == (writes < count ? Status::ok : Status::busy));
    if (status == Status::ok) CHECK(found[0] == found[1]);
    CHECK(record.header().retries.load(memory_order_relaxed) == before + (status == Status::busy));
  }
}

TEST_CASE("content that replaces everything is published, whatever others publish while it is filled") {
  TestRecord record(8);
  const u64 mine = 7;
  for (u32 others = 0; others < 2 * record.geometry().count; others++) {
    u64 before;
    const u64 version = record.read(before);
    u64 word = record.core().begin();
    const auto fill = [&](u32 index) {
      for (u64 k = 0; k < others; k++) REQUIRE(record.try_write(0, &k, sizeof k) == Status::ok);
      record.buffers().write(index, 0, &mine, sizeof mine);
    };
    CHECK(record.core().try_write(word, false, fill, true) == Status::ok);
    CHECK(version_in(word) == version + others + 1);
    u64 value;
    CHECK(record.read(value) == version_in(word));
    CHECK(value == mine);
    CHECK(record.free() == record.geometry().count - 1);
  }
}

TEST_CASE("a clear keeps the content and the version") {
  TestRecord record(8);
  u64 word = record.core().begin();
  REQUIRE(record.core().try_write(word, true, [&](u32 index) { record.buffers().set_length(index, 0); }) == Status::ok);
  CHECK((record.core().word() & kMessageSet) != 0);
  CHECK(version_in(record.core().word()) == 1);
  record.core().clear();
  CHECK((record.core().word() & kMessageSet) == 0);
  CHECK(version_in(record.core().word()) == 1);
  u64 value;
  CHECK(record.read(value) == 1);
}

TEST_CASE("threads that merge lose nothing, and readers see each value whole") {
  constexpr u32 kWriters = 3;
  const u32 rounds = scaled(30'000);
  // The content is a count for each writer, and their sum.
  TestRecord record((kWriters + 1) * sizeof(u64));
  const Watchdog watchdog("merges", std::chrono::seconds(120));
  std::atomic<u32> over{0};
  std::vector<std::function<void()>> bodies;
  for (u32 writer = 0; writer < kWriters; writer++) {
    bodies.push_back([&, writer] {
      for (u32 round = 0; round < rounds; round++) {
        const auto add = [&] {
          u64 word = record.core().begin();
          return record.core().try_write(word, false, [&](u32 index) {
            const Buffers buffers = record.buffers();
            buffers.copy(index_in(word), index);
            for (const u32 at : {writer * 8, kWriters * 8}) {
              u64 value;
              buffers.read(index, at, &value, sizeof value);
              value++;
              buffers.write(index, at, &value, sizeof value);
            }
          });
        };
        CHECK(until_not_busy(add, [] { return true; }) == Status::ok);
      }
      over++;
    });
  }
  bodies.push_back([&] {
    u64 last = 0;
    while (over.load() < kWriters) {
      u64 found[kWriters + 1];
      const u64 version = record.read(found);
      CHECK(found[0] + found[1] + found[2] == found[kWriters]);
      CHECK(found[kWriters] == version);
      CHECK(version >= last);
      last = version;
    }
  });
  run_together(bodies);
  u64 found[kWriters + 1];
  CHECK(record.read(found) == u64{kWriters} * rounds);
  for (u32 writer = 0; writer < kWriters; writer++) CHECK(found[writer] == rounds);
  CHECK(record.free() == record.geometry().count - 1);
}

TEST_CASE("no wake is lost: two threads wait for each other's versions") {
  const u32 rounds = scaled(20'000);
  TestRecord ping(8);
  TestRecord pong(8);
  const Watchdog watchdog("versions", std::chrono::seconds(120));
  const auto play = [&](TestRecord& mine, TestRecord& other, bool begins) {
    for (u64 round = 0; round < rounds; round++) {
      if (begins) REQUIRE(other.try_write(0, &round, sizeof round) == Status::ok);
      PatientParker waiting(mine.header().changed);
      CHECK(mine.core().wait(waiting, round) == Status::ok);
      if (!begins) REQUIRE(other.try_write(0, &round, sizeof round) == Status::ok);
    }
  };
  run_together({[&] { play(ping, pong, true); }, [&] { play(pong, ping, false); }});
  CHECK(version_in(ping.core().word()) == rounds);
  CHECK(ping.header().changed.state.load(memory_order_seq_cst) == 0);
  auto in_vain = parker(ping.header().changed, Deadline::after(5));
  CHECK(ping.core().wait(in_vain, rounds) == Status::timeout);
}

TEST_CASE("a forged geometry is refused") {
  TestRecord record(kBytes);
  SnapshotGeometry found{};
  const u64 bytes = u64{kOrigin} + record.geometry().staging + u64{kStagingAreas} * kStagingBytes;
  CHECK(checked_geometry(record.header(), bytes, found));
  CHECK(std::memcmp(&found, &record.geometry(), sizeof found) == 0);
  CHECK_FALSE(checked_geometry(record.header(), bytes - 1, found));
  auto* const words = reinterpret_cast<u32*>(&record.header().geometry);
  for (u32 k = 0; k < sizeof(SnapshotGeometry) / sizeof(u32); k++) {
    for (const u32 value : {0u, 1u, 5u, 64u, 65u, 0x10000u, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
      const u32 before = std::exchange(words[k], value);
      // Another type, or a length that takes the same space, makes another valid record.
      if (value != before && k > 1) CHECK_FALSE(checked_geometry(record.header(), bytes, found));
      words[k] = before;
    }
  }
}

TEST_CASE("overwritten memory is reported, and leads to no access outside it") {
  constexpr u32 kWords = (offsetof(SnapshotHeader, changed) - offsetof(SnapshotHeader, current)) / sizeof(u32) + 4;
  for (u32 k = 0; k < kWords + 64; k++) {
    for (const u32 value : {0u, 1u, 0x3fu, 0x7fu, 0xffffu, 0x7fffffffu, 0xffffffffu}) {
      TestRecord record(kBytes);
      Bytes content{};
      REQUIRE(record.try_write(0, content.data(), kBytes) == Status::ok);
      auto* const base = reinterpret_cast<std::byte*>(&record.header());
      const std::size_t at = k < kWords ? offsetof(SnapshotHeader, current) + k * 4 : record.geometry().buffers + (k - kWords) * 4;
      // Spares the list of waiters, as no loop can be rung here.
      if (at >= offsetof(SnapshotHeader, changed) && at < sizeof(SnapshotHeader)) continue;
      std::memcpy(base + at, &value, sizeof value);
      u64 word = 0;
      HandlerPatience patience;
      Status status = until_not_busy([&] { return record.try_read(content, word); }, patience);
      CHECK((status == Status::ok || status == Status::damaged));
      status = until_not_busy([&] { return record.try_write(3, content.data(), 9); }, HandlerPatience());
      CHECK((status == Status::ok || status == Status::damaged || status == Status::busy));
      CHECK(record.buffers().length(0) <= kBytes + 1);
    }
  }
}

TEST_SUITE_END();
