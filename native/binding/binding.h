// The parts of the addon, which addon.cc puts together.
#pragma once

#include <napi.h>

#include "../core/layout.h"

namespace threadsafe {

void export_queue(Napi::Env env, Napi::Object exports);
void export_event(Napi::Env env, Napi::Object exports);
void export_select(Napi::Env env, Napi::Object exports);
void export_signals(Napi::Env env, Napi::Object exports);
void export_native_code(Napi::Env env, Napi::Object exports);
void export_constants(Napi::Env env, Napi::Object exports);

}  // namespace threadsafe
