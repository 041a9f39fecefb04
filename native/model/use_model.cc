// Counting in and out (core/use_count.h). A user finds the thing whole, and the owner does not take
// it back while it is used.
#include "core/use_count.h"
#include "main.h"

namespace {

using namespace threadsafe;

// A thing to use. Relacy reports a race on `content` if a user comes before it is filled in, or
// after it was taken back.
struct Thing {
  UseCount uses;
  rl::var<unsigned> content;

  void fill(unsigned with) { content($) = with; }

  void take_back() {
    uses.retire([] { rl::yield(1, $); });
    fill(0);
  }

  // Returns whether there was something to use.
  bool use() {
    const Use use(uses);
    if (!use) return false;
    RL_ASSERT(unsigned(content($)) != 0);
    return true;
  }
};

// The thing is filled in, opened and taken back while others try to use it.
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

// The thing is opened again with other content, perhaps while a user that found it closed is still
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

// A handler uses the thing whenever it strikes, even on the thread that retires it, and never
// waits. The owner goes on when no user is left.
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

// One user, while the thing is taken back.
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
