// The fuzzer's bytes, read as numbers. They decide which object is made, which calls are made, and
// what is overwritten. Once they are used up, every number is 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "../core/layout.h"

namespace threadsafe::fuzz {

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool is_over() const { return bytes_.empty(); }

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  u32 below(u32 limit) { return (limit <= 256 ? byte() : byte() << 8 | byte()) % limit; }

  // Returns a value that is often at the edge of something, or any value.
  u64 value() {
    static constexpr u64 kValues[] = {
        0, 1, 2, 3, 5, 7, 8, 16, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff, 1 << 16, 1 << 30, 0x10000'0000, ~u64{0}};
    constexpr u32 kSpecial = sizeof kValues / sizeof *kValues;
    const u32 kind = byte();
    if (kind < 2 * kSpecial) return kValues[kind % kSpecial];
    if (kind < 128) return u64{1} << kind % 64;
    u64 value = 0;
    for (u32 k = 0; k < (kind < 192 ? 4 : 8); k++) value = value << 8 | byte();
    return value;
  }

  // Returns a third of the input: for the first thread, the second, or the overwriting.
  Input third(u32 k) const {
    const std::size_t size = bytes_.size() / 3;
    return Input(bytes_.subspan(k * size, size));
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

// Ends the process with a finding unless that holds.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace threadsafe::fuzz
