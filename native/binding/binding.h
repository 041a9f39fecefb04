// The parts of the addon, which addon.cc puts together.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "../core/layout.h"

namespace threadsafe {

void export_queue(Napi::Env env, Napi::Object exports);
void export_event(Napi::Env env, Napi::Object exports);
void export_record(Napi::Env env, Napi::Object exports);
void export_lock(Napi::Env env, Napi::Object exports);
void export_pool(Napi::Env env, Napi::Object exports);
void export_select(Napi::Env env, Napi::Object exports);
void export_signals(Napi::Env env, Napi::Object exports);
void export_native_code(Napi::Env env, Napi::Object exports);
void export_constants(Napi::Env env, Napi::Object exports);

// A JavaScript value that owns `data`. In an isolate that is being stopped Node may refuse to make
// it: then the value is empty, and `data` ends here.
template <class Data>
Napi::External<Data> owner_of(Napi::Env env, std::unique_ptr<Data> data) {
  const auto value = Napi::External<Data>::New(env, data.get(), [](Napi::Env, Data* data) { delete data; });
  if (!value.IsEmpty()) data.release();
  return value;
}

inline u32 number(const Napi::Value& value) { return value.As<Napi::Number>().Uint32Value(); }

// Read the contents of arrays and objects by these functions. In an isolate that is being stopped
// Node refuses even an array's length, and an empty Napi::Value ends the process when it is used.
inline bool length_of(napi_env env, napi_value array, u32& length) { return napi_get_array_length(env, array, &length) == napi_ok; }
inline bool element_of(napi_env env, napi_value array, u32 index, napi_value& value) {
  return napi_get_element(env, array, index, &value) == napi_ok;
}
inline bool number_in(napi_env env, napi_value object, const char* name, u32& number) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok && napi_get_value_uint32(env, value, &number) == napi_ok;
}
inline bool text_in(napi_env env, napi_value object, const char* name, std::string& text) {
  napi_value value;
  std::size_t length;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return false;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  text.resize(length);
  return napi_get_value_string_utf8(env, value, text.data(), length + 1, &length) == napi_ok;
}

}  // namespace threadsafe
