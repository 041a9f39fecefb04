// Counting in and out (core/use_count.h): users find the thing whole, and its owner does not take
// it back while one of them uses it.
#include "core/use_count.h"
#include "main.h"

namespace {

using namespace threadsafe;

// Relacy reports a race on `content` if a user comes before it is filled in, or after it was taken
// back.
struct Thing {
  UseCount uses;
  rl::var<unsigned> content;

  void fill(unsigned with) { content($) = with; }

  void take_back() {
    uses.retire([] { rl::yield(1, $); });
    fill(0);
  }

  // Whether there was something to use.
  bool use() {
    const Use use(uses);
    if (!use) return false;
    RL_ASSERT(unsigned(content($)) != 0);
    return true;
  }
};

// It is filled in, opened and taken back while others try to use it.
struct Retire : rl::test_suite<Retire, 3> {
  Thing thing;

  void before() { thing.fill(0); }

  void thread(unsigned index) {
    if (index == 0) {
      thing.fill(1);
      thing.uses.open();
      thing.take_back();
    } else {
      thing.use();
      thing.use();
    }
  }
};

// It is opened again with something else in it, perhaps while one who found it closed is still
// counted in.
struct Reopen : rl::test_suite<Reopen, 3> {
  Thing thing;

  void before() {
    thing.fill(1);
    thing.uses.open();
  }

  void thread(unsigned index) {
    if (index == 0) {
      thing.take_back();
      thing.fill(2);
      thing.uses.open();
      thing.take_back();
    } else {
      thing.use();
      thing.use();
    }
  }
};

// A handler uses it whenever it strikes, its own retiring thread too, and never waits: the owner
// goes on when nobody else is left.
struct Handler : rl::test_suite<Handler, 2> {
  Thing thing;

  void before() {
    thing.fill(1);
    thing.uses.open();
  }

  void thread(unsigned index) {
    if (index == 0) {
      thing.use();
      thing.uses.close();
      RL_ASSERT(!thing.use());
      thing.uses.retire([this] {
        RL_ASSERT(!thing.use());
        rl::yield(1, $);
      });
      thing.fill(0);
      RL_ASSERT(!thing.use());
    } else {
      thing.use();
    }
  }
};

// One user, while it is taken back.
struct OneUser : rl::test_suite<OneUser, 2> {
  Thing thing;

  void before() { thing.fill(0); }

  void thread(unsigned index) {
    if (index == 1) {
      thing.use();
      return;
    }
    thing.fill(1);
    thing.uses.open();
    thing.take_back();
    thing.fill(2);
    thing.uses.open();
    thing.take_back();
  }
};

// Two users, once each.
struct TwoUsers : rl::test_suite<TwoUsers, 3> {
  Thing thing;

  void before() {
    thing.fill(1);
    thing.uses.open();
  }

  void thread(unsigned index) {
    if (index > 0) {
      thing.use();
    } else {
      thing.take_back();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const threadsafe::model::Scenario scenarios[] = {
      threadsafe::model::scenario<Retire, "retire">(100'000),   threadsafe::model::scenario<Reopen, "reopen">(100'000),
      threadsafe::model::scenario<Handler, "handler">(100'000), threadsafe::model::search<OneUser, "small_one_user">(),
      threadsafe::model::search<TwoUsers, "small_two_users">(),
  };
  return threadsafe::model::main(argc, argv, scenarios);
}
