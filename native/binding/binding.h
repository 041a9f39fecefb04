// The parts of the addon, which addon.cc puts together.
#pragma once

#include <napi.h>

#include "../core/layout.h"

namespace threadsafe {

// The object in that memory; null unless it is one of this kind, this layout and this copy of the addon.
QueueHeader* queue_in(Napi::Uint8Array view);
EventHeader* event_in(Napi::Uint8Array view);

void export_queue(Napi::Env env, Napi::Object exports);
void export_event(Napi::Env env, Napi::Object exports);
void export_select(Napi::Env env, Napi::Object exports);
void export_signals(Napi::Env env, Napi::Object exports);
void export_native_code(Napi::Env env, Napi::Object exports);
void export_constants(Napi::Env env, Napi::Object exports);

}  // namespace threadsafe
