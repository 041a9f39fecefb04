// Keeps this library loaded. Node closes an addon when the last isolate that loaded it ends, and
// that may be a worker; but the handler of a signal, the helper thread and a late doorbell are code
// of ours that other threads may still run.
#pragma once

namespace threadsafe {

void pin_library();

}  // namespace threadsafe
