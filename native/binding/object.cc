#include "object.h"

namespace threadsafe {

Header* SharedObject::header_in(Napi::Uint8Array view, Kind kind) {
  if (view.ByteLength() < kOrigin + sizeof(Header)) return nullptr;
  auto* const header = reinterpret_cast<Header*>(view.Data() + kOrigin);
  const bool known = header->magic == kMagic && header->version == kLayoutVersion && header->owner == doorbell_table_id();
  return known && header->kind == kind ? header : nullptr;
}

void SharedObject::abandon() {
  if (!view_.Value().IsEmpty()) withdraw_and_wake();
}

}  // namespace threadsafe
