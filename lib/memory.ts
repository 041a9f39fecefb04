/**
 * The shared memory of one object. V8 counts the references to it over all isolates, so it lives as long as any thread has it; its
 * address never changes.
 */
import { native, type Weak } from './native.js'
import { wasm } from './wasm.generated.js'

/** The exports of native/wasm/exports.cc. */
export interface Core {
  status(): number
  spin_for_item(): number
  spin_for_room(): number
  size(): number
  full(): number
  closed(): number
  set(): void
  clear(): void
  is_set(): number
  word(): number
  [putOrGet: `put_${string}`]: (value: never) => number
  [putOrGet: `get_${string}`]: () => never
}

let module: WebAssembly.Module | undefined

/** The core over that memory, for this thread. `wake` is the addon's function for what waits there. */
export function instantiate(memory: WebAssembly.Memory, wake: (list: number) => void): Core {
  module ??= new WebAssembly.Module(Buffer.from(wasm, 'base64'))
  return new WebAssembly.Instance(module, { env: { memory }, host: { wake } }).exports as unknown as Core
}

/** Zeroed memory of at least that many bytes. */
export function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / native.pageBytes)
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  } catch (cause) {
    throw new Error(
      `threadsafe: no memory of ${bytes} bytes could be had. Each queue and event reserves address space of about 10 GiB, so there can be some ` +
        'thousands of them in a process; those that are not used any more are freed by the garbage collector.',
      { cause },
    )
  }
}

export function bytesOf(memory: WebAssembly.Memory): Uint8Array {
  return new Uint8Array(memory.buffer)
}

/** What this thread has made of objects' memories, so that all who open the same one share it. Found by address: a memory that came back by postMessage is another JavaScript object. */
export class OpenObjects<Opened extends object> {
  readonly #byAddress = new Map<number, Weak<Opened>>()
  readonly #gone = new FinalizationRegistry<number>((address) => {
    // Another may have been opened at that address since.
    if (!this.#at(address)) this.#byAddress.delete(address)
  })

  get(memory: WebAssembly.Memory, open: (bytes: Uint8Array) => Opened): Opened {
    const bytes = bytesOf(memory)
    const address = native.address(bytes)
    const known = this.#at(address)
    if (known) return known
    const opened = open(bytes)
    this.#byAddress.set(address, native.weak(opened))
    this.#gone.register(opened, address)
    return opened
  }
  #at(address: number): Opened | undefined {
    const reference = this.#byAddress.get(address)
    return reference && native.target(reference)
  }
}
