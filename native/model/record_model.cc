// Reads of a record are whole, no merge is lost, buffers have one owner at a time, and a handler
// may strike before any operation.
#include "core/buffers.h"
#include "core/record.h"
#include "main.h"
#include "parking_model.h"

namespace {

using namespace threadsafe;
using namespace threadsafe::model;

constexpr u32 kMostModelBuffers = 4;
constexpr u32 kContentWords = 2;
constexpr u32 kContentBytes = kContentWords * 8;

struct ModelBuffer {
  Atomic<u64> words[2 + kContentWords];
  rl::var<u32> owner;  // written by whoever has claimed the buffer: Relacy reports a race between two owners
};

struct ModelWords {
  Atomic<u64>& word(u32 index, u32 k) const { return buffers[index].words[k]; }
  ModelBuffer* buffers;
};

// Its first `length` bytes count.
struct Content {
  u64 words[kContentWords] = {};
  u32 length = kContentBytes;

  bool operator==(const Content& other) const { return length == other.length && std::memcmp(words, other.words, length) == 0; }
};

class ModelRecord {
 public:
  explicit ModelRecord(u32 count) : count_(count) {
    header_.free.store((1u << count) - 2, memory_order_relaxed);
    buffers().set_length(0, kContentBytes);
  }

  Snapshot<WordBuffers<ModelWords>, ThreadWake> core() { return {header_, buffers(), ThreadWake{&parking_}}; }

  // Makes one try to read.
  Status try_read() {
    u64 word;
    Content content;
    const Status status = status_of(core().try_read(word, [&](u32 index) {
      content.length = length(index);
      buffers().read(index, 0, content.words, content.length);
    }));
    if (status == Status::ok) reads_[number_of_reads_++] = {version_in(word), content};
    return status;
  }

  void read() {
    while (try_read() == Status::busy) rl::yield(1, $);
  }

  // Makes one try to write a content that nobody else writes; after any version if it is `whole`.
  Status try_write(bool whole = false) {
    const u64 value = ++number_of_contents_;
    const Content content{{value, value}, value % 2 == 0 ? kContentBytes : kContentBytes / 2};
    u64 word = core().begin();
    const auto fill = [&](u32 index) {
      own(index, [&] {
        buffers().set_length(index, content.length);
        buffers().write(index, 0, content.words, content.length);
      });
    };
    const Status status = status_of(core().try_write(word, true, fill, whole));
    if (status == Status::ok) published(word) = {content, kNoWord};
    return status;
  }

  void write(bool whole = false) {
    while (try_write(whole) == Status::busy) rl::yield(1, $);
  }

  // Makes one try to add one to the kth word and leave the others alone.
  Status try_add(u32 k) {
    Content content;
    u64 word = core().begin();
    const auto fill = [&](u32 index) {
      own(index, [&] {
        buffers().copy(index_in(word), index);
        content.length = length(index);
        buffers().read(index, 0, content.words, kContentBytes);
        content.words[k]++;
        buffers().write(index, k * 8, &content.words[k], sizeof(u64));
      });
    };
    const Status status = status_of(core().try_write(word, true, fill));
    if (status == Status::ok) published(word) = {content, k};
    return status;
  }

  void add(u32 k) {
    while (try_add(k) == Status::busy) rl::yield(1, $);
  }

  Status wait(u64 since) {
    Parker parker(parking_);
    return core().wait(parker, since);
  }

  Status wait_with_deadline(u64 since) {
    Parker parker(parking_, true);
    return core().wait(parker, since);
  }

  WaitList& list() { return header_.changed; }

  // Checks, at the end, that what was read as a version is what was published as that one, and that
  // no merge was lost.
  void check(u64 versions) {
    RL_ASSERT(version_in(core().word()) == versions);
    read();
    for (u64 version = 1; version <= versions; version++) {
      const auto& [content, word] = published_[version];
      if (word == kNoWord) continue;
      Content merged = published_[version - 1].content;
      merged.words[word]++;
      RL_ASSERT(content == merged);
    }
    for (u32 k = 0; k < number_of_reads_; k++) RL_ASSERT(reads_[k].content == published_[reads_[k].version].content);
  }

  u32 fills = 0;  // buffers that were claimed

 private:
  static constexpr u32 kMostVersions = 8;
  static constexpr u32 kNoWord = ~0u;

  struct Published {
    Content content;
    u32 word = kNoWord;  // to which one was added, if the rest is that of the version before
  };
  struct Read {
    u64 version;
    Content content;
  };

  WordBuffers<ModelWords> buffers() { return {count_, kContentBytes, ModelWords{buffers_}}; }

  u32 length(u32 index) { return std::min(buffers().length(index), kContentBytes); }

  Published& published(u64 word) {
    RL_ASSERT(version_in(word) < kMostVersions);
    return published_[version_in(word)];
  }

  // Checks that no status says "damaged".
  static Status status_of(Status status) {
    RL_ASSERT(status == Status::ok || status == Status::busy);
    return status;
  }

  template <class Fill>
  void own(u32 index, Fill&& fill) {
    fills++;
    buffers_[index].owner($) = 1;
    fill();
    buffers_[index].owner($) = 0;
  }

  SnapshotHeader header_;
  ModelBuffer buffers_[kMostModelBuffers];
  Parking parking_;
  const u32 count_;
  u64 number_of_contents_ = 0;
  Published published_[kMostVersions];
  Read reads_[kMostVersions];
  u32 number_of_reads_ = 0;
};

// A writer that began before a version was published may claim the buffer of that version, which
// has been given back since. It publishes nothing, and a slow reader must not take its content for
// that version's.
struct Late : rl::test_suite<Late, 3> {
  ModelRecord record{2};
  u64 versions = 2;

  void thread(unsigned index) {
    if (index == 0) {
      record.write();
      record.write();
    } else if (index == 1) {
      if (record.try_write() == Status::ok) versions++;
    } else {
      record.read();
    }
  }

  void after() { record.check(versions); }
};

// Buffers are claimed anew while a thread reads. Writers may follow any version, or only the one
// with which they began.
template <u32 count, bool whole>
struct Write : rl::test_suite<Write<count, whole>, 3> {
  ModelRecord record{count};

  void thread(unsigned index) {
    for (u32 k = 0; k < 2; k++) {
      if (index == 2) {
        record.read();
      } else {
        record.write(whole);
      }
    }
  }

  void after() { record.check(4); }
};

// Two threads change different words.
struct Merge : rl::test_suite<Merge, 2> {
  ModelRecord record{3};

  void thread(unsigned index) {
    record.add(index);
    record.add(index);
  }

  void after() { record.check(4); }
};

// One thread writes. Another learns of that, and must find the buffer that was given back.
struct GivenBack : rl::test_suite<GivenBack, 2> {
  ModelRecord record{2};
  u64 versions = 1;
  Atomic<u32> written;

  void thread(unsigned index) {
    if (index == 0) {
      record.write();
      written.store(1, memory_order_relaxed);
    } else {
      while (written.load(memory_order_relaxed) == 0) rl::yield(1, $);
      const u32 before = record.fills;
      // The first look at the free buffers may be outdated, but the second is not.
      if (record.try_write() == Status::ok || record.try_write() == Status::ok) versions++;
      RL_ASSERT(record.fills > before);
    }
  }

  void after() { record.check(versions); }
};

// A handler that strikes its thread before any operation, at most `left` times, and merges, replaces
// or reads.
struct Handler {
  static inline Handler* current = nullptr;

  ModelRecord* record;
  u32 left;
  bool inside = false;
  u32 published = 0;

  static void strike() {
    Handler* const handler = current;
    if (!handler || rl::thread_index() != 0 || handler->inside || handler->left == 0 || rl::rand(8) != 0) return;
    handler->left--;
    handler->inside = true;
    HandlerPatience patience;
    const auto few = [&] { return patience() && rl::rand(16) != 0; };
    const unsigned what = rl::rand(3);
    const auto try_now = [&] {
      if (what == 0) return handler->record->try_read();
      return what == 1 ? handler->record->try_add(1) : handler->record->try_write(true);
    };
    if (until_not_busy(try_now, few) == Status::ok && what > 0) handler->published++;
    handler->inside = false;
  }

  explicit Handler(ModelRecord& of, u32 strikes) : record(&of), left(strikes) {}
};

// A handler interrupts a writer, and another thread writes or reads.
template <bool reads>
struct Struck : rl::test_suite<Struck<reads>, 2> {
  ModelRecord record{4};
  Handler handler{record, 2};

  void before() {
    Handler::current = &handler;
    before_operation = Handler::strike;
  }

  void thread(unsigned index) {
    if (index == 0) {
      record.add(0);
      record.add(0);
    } else if (reads) {
      record.read();
    } else {
      record.add(0);
    }
  }

  void after() {
    before_operation = nullptr;
    record.check((reads ? 2 : 3) + handler.published);
  }
};

// One thread waits for a version, however late the other writes it.
struct Wait : rl::test_suite<Wait, 2> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      record.write();
      record.write();
    } else {
      RL_ASSERT(record.wait(0) == Status::ok);
      RL_ASSERT(record.wait(1) == Status::ok);
      record.read();
    }
  }

  void after() {
    record.check(2);
    RL_ASSERT(calls_waiting(record.list()) == 0);
  }
};

// A set that is cleared at once serves the threads that waited. A clear keeps the content and the
// version.
struct SetAndClear : rl::test_suite<SetAndClear, 3> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      until_announced(record.list(), 1);
      record.write();
      record.core().clear();
    } else if (index == 1) {
      RL_ASSERT(record.wait(0) == Status::ok);
    } else {
      record.core().clear();
    }
  }

  void after() {
    record.check(1);
    RL_ASSERT(record.core().word() == stamp_of(record.core().word()));
  }
};

// Two threads wait. One of them comes and goes, and takes any permit it meets.
struct TwoWait : rl::test_suite<TwoWait, 3> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      record.write();
      record.write();
    } else if (index == 1) {
      RL_ASSERT(record.wait(1) == Status::ok);
    } else {
      while (record.wait_with_deadline(1) != Status::ok) rl::yield(1, $);
    }
  }

  void after() { RL_ASSERT(calls_waiting(record.list()) == 0); }
};

// A clear undoes no concurrent write.
struct Cleared : rl::test_suite<Cleared, 2> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      record.write();
      record.write();
    } else {
      record.core().clear();
    }
  }

  void after() { record.check(2); }
};

// One thread writes, one reads.
struct WriteAndRead : rl::test_suite<WriteAndRead, 2> {
  ModelRecord record{2};

  void thread(unsigned index) {
    if (index == 0) {
      record.write();
      record.write();
    } else {
      record.try_read();
    }
  }

  void after() { record.check(2); }
};

// Two threads change one word each.
struct MergeOnce : rl::test_suite<MergeOnce, 2> {
  ModelRecord record{3};

  void thread(unsigned index) { record.add(index); }

  void after() { record.check(2); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<Write<2, false>, "whole_2">(30'000),
      scenario<Write<3, false>, "whole_3">(30'000),
      scenario<Late, "late">(100'000),
      scenario<Write<2, true>, "late_whole">(30'000),
      scenario<Write<3, true>, "replace">(30'000),
      scenario<Merge, "merge">(50'000),
      scenario<GivenBack, "given_back">(20'000),
      scenario<Struck<false>, "struck_writer">(50'000),
      scenario<Struck<true>, "struck_read">(50'000),
      scenario<Wait, "wait">(30'000),
      scenario<TwoWait, "two_wait">(50'000),
      scenario<SetAndClear, "set_and_clear">(30'000),
      scenario<Cleared, "cleared">(20'000),
      search<WriteAndRead, "small_write_and_read">(4),
      search<MergeOnce, "small_merge">(4),
      search<Wait, "small_wait">(3),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
