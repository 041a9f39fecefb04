#include <dlfcn.h>

#include "pin.h"

namespace threadsafe {

void pin_library() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&pin_library), &self) != 0) dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace threadsafe
