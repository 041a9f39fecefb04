/**
 * Uses records, messages, locks, pools and events, through WebAssembly and the addon, while their
 * memory is overwritten. Queues are left to test/addon, as their calls may wait for copies that
 * never end.
 */
import assert from 'node:assert/strict'
import { types } from 'node:util'
import { BufferPool, type Held, type Lease, Lock, Message, record, SharedRecord, ThreadSafeEvent } from '../../lib/index.js'
import { Input } from './bytes.js'

const MOST_STEPS = 24
/** Most of the words that decide anything are among these. */
const HEADER_WORDS = 200

interface Target {
  readonly memory: Uint32Array
  /** A copy of the new object's memory, with which each run begins. */
  readonly fresh: Uint32Array
  call(input: Input): void
  /** Forgets whatever the last run has left. */
  reset(): void
}

function target(object: { handle: unknown }, call: (input: Input) => void, reset = (): void => {}): Target {
  const memory = new Uint32Array((object.handle as { memory: WebAssembly.Memory }).memory.buffer)
  return { memory, fresh: memory.slice(), call, reset }
}

const brief = { timeout: 0.1 }

const aRecord = new SharedRecord(record({ a: 'float64', b: 'uint8', c: 'int32[5]', d: 'bytes[3]' }))
const records = target(aRecord, (input) => {
  switch (input.below(5)) {
    case 0:
      assert.equal(aRecord.read().c.length, 5)
      return
    case 1:
      aRecord.write({ a: input.float64(), ...(input.byte() % 2 === 0 ? { c: [1, 2, 3, 4, 5] } : {}) })
      return
    case 2:
      aRecord.update(({ b }) => ({ b: b + 1 }))
      return
    case 3:
      aRecord.stats()
      return
    default:
      aRecord.waitSync(aRecord.readWithVersion().version, brief)
  }
})

function messages(message: Message<unknown>, values: readonly unknown[]): Target {
  return target(message, (input) => {
    switch (input.below(5)) {
      case 0:
        return message.set(input.of(values))
      case 1:
        return message.clear()
      case 2:
        message.value()
        return
      case 3:
        message.isSet()
        return
      default:
        message.waitSync(brief)
    }
  })
}

const lock = new Lock()
let held: Held | undefined
const locks = target(
  lock,
  (input) => {
    switch (input.below(4)) {
      case 0:
        held = lock.tryAcquire() ?? held
        return
      case 1:
        held?.release()
        return
      case 2:
        held = lock.acquireSync(brief)
        return
      default:
        void lock.locked
    }
  },
  () => {
    held?.release()
    held = undefined
  },
)

const pool = new BufferPool(37, 'float32[3]')
const leases: Lease<Float32Array>[] = []
const tokens: number[] = []
const pools = target(
  pool,
  (input) => {
    const lease = leases[input.below(8)]
    switch (input.below(6)) {
      case 0: {
        const lent = pool.tryLend()
        if (lent) leases.push(lent)
        return
      }
      case 1:
        leases.push(pool.lendSync(brief))
        return
      case 2:
        if (lease) tokens.push(lease.pass())
        return
      case 3:
        leases.push(pool.take(tokens[input.below(8)] ?? input.uint32()))
        return
      case 4:
        lease?.release()
        return
      default:
        if (lease) assert.equal(lease.data.fill(1).length, 3)
        pool.stats()
    }
  },
  () => {
    for (const lease of leases) attempt(() => lease.release())
    leases.length = tokens.length = 0
  },
)

const event = new ThreadSafeEvent()
const events = target(event, (input) => {
  switch (input.below(4)) {
    case 0:
      return event.set()
    case 1:
      return event.clear()
    case 2:
      event.isSet()
      return
    default:
      event.waitSync(brief)
  }
})

const TARGETS: readonly Target[] = [
  records,
  records,
  messages(new Message({ maxBytes: 100 }), [1.5, 'text', { a: [1, 'two'] }, new Map([[1, 2]]), new Uint8Array(30)]),
  messages(new Message({ type: 'string', maxBytes: 40 }), ['', 'text', 'Ω'.repeat(9)]),
  messages(new Message({ type: 'bytes', maxBytes: 20_000 }), [new Uint8Array(3), new Uint8Array(12_000)]),
  messages(new Message({ type: 'float64' }), [1, 2]),
  locks,
  pools,
  pools,
  events,
]

function attempt(call: () => void): void {
  try {
    call()
  } catch (error) {
    // Each error has one of our codes or is WebAssembly's, which stays within its memory.
    if (!types.isNativeError(error)) throw error
    const { code } = error as { code?: string }
    if (error instanceof assert.AssertionError) throw error
    if (!/^ERR_(?!INTERNAL)/.test(code ?? '') && !(error instanceof WebAssembly.RuntimeError))
      throw new Error('an error that is not documented', { cause: error })
  }
}

const VALUES = [0, 1, 2, 3, 5, 7, 16, 0x40, 0x80, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]

function scribble(memory: Uint32Array, input: Input): void {
  const how = input.byte()
  const word = how & 1 ? 32 + input.below(HEADER_WORDS) : (input.byte() * 256 + input.byte()) % Math.min(memory.length, 16_384)
  if (how & 2) memory[word] = (memory[word] as number) ^ (1 << input.below(32))
  else memory[word] = how & 4 ? input.uint32() : input.of(VALUES)
}

export function shared(bytes: Uint8Array): void {
  const input = new Input(bytes)
  const { memory, fresh, call, reset } = input.of(TARGETS)
  try {
    for (let step = 0; step < MOST_STEPS && !input.over; step++) {
      if (input.byte() < 64) scribble(memory, input)
      else attempt(() => call(input))
    }
  } finally {
    reset()
    memory.set(fresh)
  }
}
