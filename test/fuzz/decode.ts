/**
 * Decodes bytes as another thread may have left them in a queue's memory. The result is a value or
 * an error, and has no effect on what is decoded later.
 */
import assert from 'node:assert/strict'
import { types } from 'node:util'
import { freshBytes, type Space, spaceOver } from '../../lib/addon/space.js'
import { OneHand } from '../../lib/codec/hand.js'
import { type MessageCodec, messageCodec } from '../../lib/codec/message.js'
import { singleCodec } from '../../lib/codec/single.js'
import { record } from '../../lib/index.js'
import { Input } from './bytes.js'

const SPACE_BYTES = 2048
const HEAD_BYTES = 8

const codecs: { codec: MessageCodec<unknown>; bytes: number | undefined }[] = [
  ...(['any', 'any', 'any', 'string', 'bytes'] as const).map((type) => ({
    codec: messageCodec(type, 'item') as MessageCodec<unknown>,
    bytes: undefined,
  })),
  ...(
    [
      ['float32[4]', 16],
      ['bytes[5]', 5],
      [record({ a: 'uint8', b: 'float64', c: 'biguint64', d: 'boolean', e: 'int16[3]', f: 'bytes[3]' }), 40],
    ] as const
  ).map(([type, bytes]) => ({ codec: messageCodec(type, 'item') as MessageCodec<unknown>, bytes })),
  { codec: singleCodec('boolean'), bytes: 1 },
  { codec: singleCodec('bigint64'), bytes: 8 },
]

const anyCodec = messageCodec('any', 'item') as MessageCodec<unknown>
const space = spaceOver(new ArrayBuffer(SPACE_BYTES), 0, SPACE_BYTES)
const all = new Uint8Array(space.buffer)

/** Values whose shapes and strings the decoder remembers. */
const KNOWN: readonly unknown[] = [{ a: 1, b: 'two' }, { b: [1, { a: true }], a: 'two' }, ['short', 'a', 'b', { key: 'two' }]]
const own = spaceOver(new ArrayBuffer(SPACE_BYTES), 0, SPACE_BYTES)
const known = KNOWN.map((value) => {
  const hand = new OneHand(own)
  anyCodec.encode(value, hand)
  return { value, bytes: new Uint8Array(own.buffer).slice(0, hand.end) }
})

function checkKnown(): void {
  for (const { value, bytes } of known) {
    new Uint8Array(own.buffer).set(bytes)
    assert.deepEqual(anyCodec.decode(own, 0, bytes.length), value)
  }
}

/** Reads everything in the value, as a program would. */
function touch(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (ArrayBuffer.isView(value)) assert.ok(value.byteLength >= 0)
  else for (const key of Object.keys(value).slice(0, 20)) void (value as Record<string, unknown>)[key]
}

function decoded(from: Space, input: Input): unknown {
  const { codec, bytes } = input.of(codecs)
  const way = input.below(4)
  const body = input.rest()
  const at = way === 1 ? HEAD_BYTES : 0
  const length = Math.min(body.length, SPACE_BYTES - at)
  all.fill(0).set(body.subarray(0, length), at)
  if (way < 3) return codec.decode(from, at, bytes ?? length)
  // The head of a long item is here, and its body elsewhere.
  const head = codec.isBody ? 0 : HEAD_BYTES
  const rest = body.subarray(head)
  const its = freshBytes(bytes ?? rest.length)
  its.fill(0)
  for (let k = 0; k < its.length; k++) its[k] = rest[k] ?? 0
  return codec.receive(from, its, its.length)
}

export function decode(bytes: Uint8Array): void {
  try {
    touch(decoded(space, new Input(bytes)))
  } catch (error) {
    if (!types.isNativeError(error)) throw error
    const { code, message } = error as { code?: string; message: string }
    // An item that is nested deeply enough exhausts the stack.
    if (code !== 'ERR_DAMAGED_MEMORY' && message !== 'Maximum call stack size exceeded')
      throw new Error('an error that is not documented', { cause: error })
  }
  checkKnown()
}
