// The functions of records and messages. Part of calls.cc.
#pragma once

#include "../core/record.h"
#include "calling.h"

namespace threadsafe {
namespace {

template <class Wake>
Snapshot<Buffers, Wake> core_of(const OpenSnapshot& open, Wake wake) {
  return {open.header, open.buffers, wake};
}

void tell(uint64_t* version, u64 word) {
  if (version) *version = version_in(word);
}

threadsafe_status record_read(threadsafe_record* handle, void* value, std::size_t bytes, uint64_t* version) {
  OpenRecord& record = OpenRecord::of(handle);
  return signal_safe(record, [&](auto wake) {
    if (bytes != record.buffers.bytes) return THREADSAFE_WRONG_SIZE;
    const auto core = core_of(record, wake);
    u64 word = 0;
    const auto read = [&] { return core.try_read(word, [&](u32 index) { record.buffers.read(index, 0, value, record.buffers.bytes); }); };
    const Status status = until_not_busy(read, HandlerPatience());
    if (status == Status::ok) tell(version, word);
    return public_status(status);
  });
}

threadsafe_status record_write(threadsafe_record* handle, const void* value, std::size_t bytes, const threadsafe_range* ranges,
                               std::size_t range_count, uint64_t* version) {
  OpenRecord& record = OpenRecord::of(handle);
  return signal_safe(record, [&](auto wake) {
    if (bytes != record.buffers.bytes) return THREADSAFE_WRONG_SIZE;
    for (std::size_t k = 0; k < range_count; k++) {
      if (ranges[k].offset > bytes || ranges[k].bytes > bytes - ranges[k].offset) return THREADSAFE_WRONG_SIZE;
    }
    auto core = core_of(record, wake);
    u64 word = 0;
    const auto fill = [&](u32 index) {
      const Buffers& buffers = record.buffers;
      if (!ranges) {
        buffers.set_length(index, buffers.bytes);
        return buffers.write(index, 0, value, buffers.bytes);
      }
      buffers.copy(index_in(word), index);
      for (std::size_t k = 0; k < range_count; k++) {
        const auto at = static_cast<u32>(ranges[k].offset);
        buffers.write(index, at, static_cast<const std::byte*>(value) + at, static_cast<u32>(ranges[k].bytes));
      }
    };
    const auto write = [&] {
      word = core.begin();
      return core.try_write(word, false, fill, !ranges);
    };
    const Status status = until_not_busy(write, HandlerPatience());
    if (status == Status::ok) tell(version, word);
    return public_status(status);
  });
}

threadsafe_status record_wait(threadsafe_record* handle, uint64_t since, double milliseconds, uint64_t* version) {
  OpenRecord& record = OpenRecord::of(handle);
  const Use use(record.calls());
  if (!use) return THREADSAFE_CLOSED;
  auto core = core_of(record, ThreadWake{});
  Status status = version_in(core.word()) > since ? Status::ok : Status::timeout;
  if (status == Status::timeout && milliseconds != 0) {
    CallParker parker(record, record.header.changed, deadline_after(milliseconds));
    status = core.wait(parker, since);
  }
  if (status == Status::ok) tell(version, core.word());
  return public_status(status);
}

threadsafe_status record_cancel(threadsafe_record* record) {
  OpenRecord::of(record).cancel();
  return THREADSAFE_OK;
}

threadsafe_status record_close(threadsafe_record* record) {
  OpenRecord::of(record).close();
  return THREADSAFE_OK;
}

threadsafe_status message_set(threadsafe_message* handle, const void* value, std::size_t bytes) {
  OpenMessage& message = OpenMessage::of(handle);
  return signal_safe(message, [&](auto wake) {
    if (message.item_bytes != 0 && bytes != message.item_bytes) return THREADSAFE_WRONG_SIZE;
    if (bytes > message.buffers.bytes) return THREADSAFE_TOO_LARGE;
    auto core = core_of(message, wake);
    const auto set = [&] {
      u64 word = core.begin();
      const auto fill = [&](u32 index) {
        message.buffers.set_length(index, static_cast<u32>(bytes));
        message.buffers.write(index, 0, value, static_cast<u32>(bytes));
      };
      return core.try_write(word, true, fill, true);
    };
    return public_status(until_not_busy(set, HandlerPatience()));
  });
}

threadsafe_status message_clear(threadsafe_message* handle) {
  OpenMessage& message = OpenMessage::of(handle);
  return signal_safe(message, [&](auto wake) {
    core_of(message, wake).clear();
    return THREADSAFE_OK;
  });
}

threadsafe_status message_cancel(threadsafe_message* message) {
  OpenMessage::of(message).cancel();
  return THREADSAFE_OK;
}

threadsafe_status message_close(threadsafe_message* message) {
  OpenMessage::of(message).close();
  return THREADSAFE_OK;
}

}  // namespace
}  // namespace threadsafe
