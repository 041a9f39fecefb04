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

struct Content {
  u64 words[kContentWords];
};

class ModelRecord {
 public:
  explicit ModelRecord(u32 count) : count_(count) { header_.free.store((1u << count) - 2, memory_order_relaxed); }

  Snapshot<WordBuffers<ModelWords>, ThreadWake> core() { return {header_, buffers(), ThreadWake{&parking_}}; }

  // Makes one try to read.
  Status try_read(u64& word, Content& content) {
    return core().try_read(word, [&](u32 index) { buffers().read(index, 0, &content, kContentBytes); });
  }

  u64 read(Content& content) {
    u64 word;
    while (status_of(try_read(word, content)) == Status::busy) rl::yield(1, $);
    return word;
  }

  // Makes one try to write the new version into all words.
  Status try_write_whole() {
    u64 word = core().begin();
    return try_fill(word, version_in(word) + 1);
  }

  // Makes one try to write that value into all words. Tells the version that it became, or 0.
  Status try_mark(u64 value, u64& version) {
    u64 word = core().begin();
    const Status status = try_fill(word, value);
    version = status == Status::ok ? version_in(word) : 0;
    return status;
  }

  void write_whole() {
    while (try_write_whole() == Status::busy) rl::yield(1, $);
  }

  // Writes that value into all words, whatever is published meanwhile.
  void replace(u64 value) {
    const Content content{{value, value}};
    const auto fill = [&](u32 index) { own(index, [&] { buffers().write(index, 0, &content, kContentBytes); }); };
    for (;;) {
      u64 word = core().begin();
      if (status_of(core().try_write(word, true, fill, true)) == Status::ok) return;
      rl::yield(1, $);
    }
  }

  // Makes one try to add one to the kth word and leave the others alone.
  Status try_add(u32 k) {
    u64 word = core().begin();
    return status_of(core().try_write(word, true, [&](u32 index) {
      own(index, [&] {
        buffers().copy(index_in(word), index);
        u64 value;
        buffers().read(index, k * 8, &value, sizeof value);
        value++;
        buffers().write(index, k * 8, &value, sizeof value);
      });
    }));
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

  u32 fills = 0;  // buffers that were claimed

 private:
  Status try_fill(u64& word, u64 value) {
    const Content content{{value, value}};
    const auto fill = [&](u32 index) { own(index, [&] { buffers().write(index, 0, &content, kContentBytes); }); };
    return status_of(core().try_write(word, true, fill));
  }

  WordBuffers<ModelWords> buffers() { return {count_, kContentBytes, ModelWords{buffers_}}; }

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
};

void check_whole(ModelRecord& record) {
  Content content;
  const u64 word = record.read(content);
  RL_ASSERT(content.words[0] == version_in(word));
  RL_ASSERT(content.words[1] == version_in(word));
}

void check_sums(ModelRecord& record, u64 first, u64 second) {
  Content content;
  const u64 word = record.read(content);
  RL_ASSERT(version_in(word) == first + second);
  RL_ASSERT(content.words[0] == first && content.words[1] == second);
}

// A writer that began before a version was published may claim the buffer of that version, which
// has been given back since. It publishes nothing, and a slow reader must not take its content for
// that version's.
struct Late : rl::test_suite<Late, 3> {
  ModelRecord record{2};
  u64 published;

  void thread(unsigned index) {
    u64 version;
    if (index == 0) {
      for (u32 k = 0; k < 2; k++) {
        while (record.try_mark(1, version) == Status::busy) rl::yield(1, $);
      }
    } else if (index == 1) {
      record.try_mark(2, published);
    } else {
      Content content;
      read = version_in(record.read(content));
      value = content.words[1];
    }
  }

  void after() {
    if (value == 2) RL_ASSERT(read == published);
  }

 private:
  u64 read;
  u64 value;
};

// Buffers are claimed anew while a thread reads.
template <u32 count>
struct Whole : rl::test_suite<Whole<count>, 3> {
  ModelRecord record{count};

  void thread(unsigned index) {
    for (u32 k = 0; k < 2; k++) {
      if (index == 2) {
        check_whole(record);
      } else {
        record.write_whole();
      }
    }
  }

  void after() { check_whole(record); }
};

// Two threads replace the content, each whatever the other publishes meanwhile. A third reads.
struct Replace : rl::test_suite<Replace, 3> {
  ModelRecord record{3};

  void check(u64 most) {
    Content content;
    const u64 word = record.read(content);
    RL_ASSERT(content.words[0] == content.words[1]);
    RL_ASSERT(version_in(word) <= most && (content.words[0] == 0) == (version_in(word) == 0));
  }

  void thread(unsigned index) {
    if (index == 2) return check(4);
    record.replace(index * 2 + 1);
    record.replace(index * 2 + 2);
  }

  void after() {
    check(4);
    RL_ASSERT(version_in(record.core().word()) == 4);
  }
};

// Two threads change different words.
struct Merge : rl::test_suite<Merge, 2> {
  ModelRecord record{3};

  void thread(unsigned index) {
    record.add(index);
    record.add(index);
  }

  void after() { check_sums(record, 2, 2); }
};

// One thread writes. Another learns of that, and must find the buffer that was given back.
struct GivenBack : rl::test_suite<GivenBack, 2> {
  ModelRecord record{2};
  Atomic<u32> written;

  void thread(unsigned index) {
    if (index == 0) {
      record.write_whole();
      written.store(1, memory_order_relaxed);
    } else {
      while (written.load(memory_order_relaxed) == 0) rl::yield(1, $);
      const u32 before = record.fills;
      // The first look at the free buffers may be outdated, but the second is not.
      if (record.try_write_whole() == Status::busy) record.try_write_whole();
      RL_ASSERT(record.fills > before);
    }
  }

  void after() { check_whole(record); }
};

// A handler that strikes its thread before any operation, at most `left` times.
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
    if (until_not_busy([&] { return handler->record->try_add(1); }, few) == Status::ok) handler->published++;
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
      Content content;
      const u64 word = record.read(content);
      RL_ASSERT(content.words[0] + content.words[1] == version_in(word));
    } else {
      record.add(0);
    }
  }

  void after() {
    before_operation = nullptr;
    check_sums(record, reads ? 2 : 3, handler.published);
  }
};

// One thread waits for a version, however late the other writes it.
struct Wait : rl::test_suite<Wait, 2> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      record.write_whole();
      record.write_whole();
    } else {
      RL_ASSERT(record.wait(0) == Status::ok);
      RL_ASSERT(record.wait(1) == Status::ok);
      check_whole(record);
    }
  }

  void after() { RL_ASSERT(calls_waiting(record.list()) == 0); }
};

// A set that is cleared at once serves the threads that waited. A clear keeps the content and the
// version.
struct SetAndClear : rl::test_suite<SetAndClear, 3> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      until_announced(record.list(), 1);
      record.write_whole();
      record.core().clear();
    } else if (index == 1) {
      RL_ASSERT(record.wait(0) == Status::ok);
    } else {
      record.core().clear();
    }
  }

  void after() {
    check_whole(record);
    RL_ASSERT(record.core().word() == stamp_of(record.core().word()));
  }
};

// Two threads wait. One of them comes and goes, and takes any permit it meets.
struct TwoWait : rl::test_suite<TwoWait, 3> {
  ModelRecord record{3};

  void thread(unsigned index) {
    if (index == 0) {
      record.write_whole();
      record.write_whole();
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
      record.write_whole();
      record.write_whole();
    } else {
      record.core().clear();
    }
  }

  void after() {
    check_whole(record);
    RL_ASSERT(version_in(record.core().word()) == 2);
  }
};

// One thread writes, one reads.
struct WriteAndRead : rl::test_suite<WriteAndRead, 2> {
  ModelRecord record{2};

  void thread(unsigned index) {
    if (index == 0) {
      record.write_whole();
      record.write_whole();
    } else {
      Content content;
      u64 word;
      if (record.try_read(word, content) == Status::ok) {
        RL_ASSERT(content.words[0] == version_in(word) && content.words[1] == version_in(word));
      }
    }
  }

  void after() { check_whole(record); }
};

// Two threads change one word each.
struct MergeOnce : rl::test_suite<MergeOnce, 2> {
  ModelRecord record{3};

  void thread(unsigned index) { record.add(index); }

  void after() { check_sums(record, 1, 1); }
};

}  // namespace

int main(int argc, char** argv) {
  const Scenario scenarios[] = {
      scenario<Whole<2>, "whole_2">(30'000),
      scenario<Whole<3>, "whole_3">(30'000),
      scenario<Late, "late">(100'000),
      scenario<Replace, "replace">(30'000),
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
