// Batches of a type of fixed size, in the form of a JavaScript typed array.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstring>

#include "../core/slots.h"

namespace threadsafe {

// The elements of a typed array, from a first one on, as items.
struct Items {
  Items(const Napi::CallbackInfo& info, std::size_t first_argument) {
    napi_typedarray_type type = napi_uint8_array;
    std::size_t length = 0;
    void* data = nullptr;
    napi_get_typedarray_info(info.Env(), info[first_argument - 1], &type, &length, &data, nullptr, nullptr);
    const auto skipped = static_cast<std::size_t>(info[first_argument].As<Napi::Number>().Int64Value());
    bytes = kElementBytes[type];
    count = static_cast<u32>(std::min<std::size_t>(length - std::min(length, skipped), ~u32{0}));
    first = static_cast<std::byte*>(data) + skipped * bytes;
  }

  // Calls copy() with an integer of an element's size, so that each size has a loop of its own: a
  // call of memcpy for each element would cost more than all the rest.
  template <class Copy>
  void by_size(Copy&& copy) const {
    switch (bytes) {
      case 1:
        return copy(std::uint8_t{});
      case 2:
        return copy(std::uint16_t{});
      case 4:
        return copy(std::uint32_t{});
      default:
        return copy(std::uint64_t{});
    }
  }

  // Copies n elements, from the k-th on, to the slots from that index on; copy_out() the other way.
  void copy_in(const StridedSlots& slots, u32 index, u32 k, u32 n) const {
    by_size([&](auto size) {
      const std::byte* from = first + std::size_t{k} * sizeof size;
      std::byte* to = slots.payload(index);
      for (u32 left = n; left > 0; left--, from += sizeof size, to += slots.payload_stride) std::memcpy(to, from, sizeof size);
    });
  }

  void copy_out(const StridedSlots& slots, u32 index, u32 k, u32 n) const {
    by_size([&](auto size) {
      const std::byte* from = slots.payload(index);
      std::byte* to = first + std::size_t{k} * sizeof size;
      for (u32 left = n; left > 0; left--, from += slots.payload_stride, to += sizeof size) std::memcpy(to, from, sizeof size);
    });
  }

  // Element sizes by napi_typedarray_type: int8, uint8, uint8 clamped, int16, uint16, int32,
  // uint32, float32, float64, bigint64, biguint64.
  static constexpr u32 kElementBytes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  static_assert(napi_int8_array == 0 && napi_biguint64_array == 10);

  u32 bytes;
  u32 count;
  std::byte* first;
};

}  // namespace threadsafe
