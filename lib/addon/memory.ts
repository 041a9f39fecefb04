/**
 * The shared memory of one object. V8 counts the references to it over all isolates, so it lives as
 * long as any thread has it; its address never changes.
 */
import { types } from 'node:util'
import { uncurried } from '../intrinsics.js'
import { native, type Weak } from './native.js'
import { wasm } from './wasm.generated.js'

/** The exports of native/wasm/event.cc. */
export interface EventCore {
  set(): void
  clear(): void
  is_set(): number
  word(): number
}

/** The exports of native/wasm/lock.cc. */
export interface LockCore {
  acquire(thread: number): number
  release(thread: number, epoch: number, abandoned: number): void
  owner(): number
}

/** The exports of native/wasm/pool.cc. Leases and tokens are names without the salt; -1: none. */
export interface PoolCore {
  lend(thread: number): number
  pass(thread: number, lease: number): number
  take(thread: number, token: number): number
  release(thread: number, lease: number): number
}

/** The exports of native/wasm/cells.cc. */
export interface CellCore {
  put(value: unknown): number
  get(): unknown
  put_block(area: number, count: number): number
  get_block(area: number, most: number): number
  ask(question: number): number
}

/** The exports of native/wasm/message.cc. */
export interface MessageCore {
  put(area: number, bytes: number, heeding: number): number
  get(area: number): number
  put_many(area: number, count: number, texts: number, heeding: number): number
  get_many(area: number, most: number, texts: number): number
  ask(question: number): number
}

/** The exports of native/wasm/record.cc. */
export interface RecordCore {
  read(area: number): number
  write(area: number, bytes: number, after: number, fenced: number): number
  word(): number
  clear(): void
}

interface OtherCores {
  event: EventCore
  lock: LockCore
  message: MessageCore
  pool: PoolCore
  record: RecordCore
}
type Cores = Record<Exclude<keyof typeof wasm, keyof OtherCores>, CellCore> & OtherCores

const modules = new Map<keyof Cores, WebAssembly.Module>()

function moduleOf(kind: keyof Cores): WebAssembly.Module {
  let module = modules.get(kind)
  if (!module) {
    module = new WebAssembly.Module(Buffer.from(wasm[kind], 'base64'))
    modules.set(kind, module)
  }
  return module
}

/**
 * Instantiates the core of that kind of object over its memory, for this thread. `wake` is the
 * addon's function that wakes whoever waits at a list.
 */
export function instantiate<Kind extends keyof Cores>(kind: Kind, memory: WebAssembly.Memory, wake: (list: number) => void): Cores[Kind] {
  return new WebAssembly.Instance(moduleOf(kind), { env: { memory }, host: { wake } }).exports as unknown as Cores[Kind]
}

const { Memory } = WebAssembly

/**
 * Milliseconds between tries to allocate, in which other threads can collect their garbage. After
 * the last one there really is no memory.
 */
const PAUSES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/**
 * Allocates after all threads have collected their garbage. Returns undefined if there is no memory
 * even then.
 */
function allocateLate(pages: number): WebAssembly.Memory | undefined {
  native.collectEverywhere()
  for (const milliseconds of PAUSES) {
    native.sleep(milliseconds)
    try {
      return new Memory({ initial: pages, maximum: pages, shared: true })
    } catch {
      // There is no memory yet.
    }
  }
  return undefined
}

/** Zeroed memory of at least that many bytes. */
export function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / native.pageBytes)
  try {
    return new Memory({ initial: pages, maximum: pages, shared: true })
  } catch (cause) {
    const memory = allocateLate(pages)
    if (memory) return memory
    throw new Error(
      `threadsafe: no memory of ${bytes} bytes could be had. Each queue and event reserves address space of about 10 GiB, so there can be some ` +
        'thousands of them in a process; those that are not used any more are freed by the garbage collector.',
      { cause },
    )
  }
}

const { get: getBuffer } = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, 'buffer') as {
  get: (this: unknown) => ArrayBufferLike
}
const bufferOf = uncurried(getBuffer)
const { isSharedArrayBuffer } = types

/**
 * The buffer of a shared memory of any realm; undefined for anything else. Does not trust what the
 * object says of itself.
 */
export function sharedBufferOf(memory: unknown): ArrayBufferLike | undefined {
  try {
    const buffer = bufferOf(memory)
    return isSharedArrayBuffer(buffer) ? buffer : undefined
  } catch {
    return undefined
  }
}

export function bytesOf(memory: WebAssembly.Memory): Uint8Array {
  return new Uint8Array(bufferOf(memory))
}

/**
 * The objects that this thread has open, so that all who open the same memory share one. They are
 * found by address, since a memory that came back by postMessage is another JavaScript object.
 */
export class OpenObjects<Opened extends object> {
  readonly #byAddress = new Map<number, Weak<Opened>>()
  readonly #gone = new FinalizationRegistry<number>((address) => {
    // Another object may have been opened at that address since.
    if (!this.#at(address)) this.#byAddress.delete(address)
  })

  get(memory: WebAssembly.Memory, open: (bytes: Uint8Array, address: number) => Opened): Opened {
    const bytes = bytesOf(memory)
    const address = native.address(bytes)
    const known = this.#at(address)
    if (known) return known
    const opened = open(bytes, address)
    this.#byAddress.set(address, native.weak(opened))
    this.#gone.register(opened, address)
    return opened
  }
  #at(address: number): Opened | undefined {
    const reference = this.#byAddress.get(address)
    return reference && native.target(reference)
  }
}
