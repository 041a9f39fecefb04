#include <windows.h>

#include "pin.h"

namespace threadsafe {

void pin_library() {
  HMODULE self;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN, reinterpret_cast<LPCWSTR>(&pin_library),
                     &self);
}

}  // namespace threadsafe
