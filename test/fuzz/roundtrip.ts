/**
 * Encodes and decodes values of all kinds, alone and in batches. Each must come out as
 * `structuredClone` returns it.
 */
import { spaceOver } from '../../lib/addon/space.js'
import { OneHand, PackingHand } from '../../lib/codec/hand.js'
import { type MessageCodec, messageCodec } from '../../lib/codec/message.js'
import { assertClone } from '../codec/clone-values.js'
import { Input } from './bytes.js'

const MOST_DEPTH = 8
const MOST_PARTS = 12
const STRINGS = ['', 'a', 'key', '0', '__proto__', 'ÿ', 'Ω', '\ud800', 'length', 'constructor', 'x'.repeat(25), 'Ω'.repeat(13)]

type Make = (input: Input, depth: number, made: object[]) => unknown

function parts(input: Input, depth: number, made: object[]): unknown[] {
  return Array.from({ length: input.below(MOST_PARTS) }, () => value(input, depth + 1, made))
}

function text(input: Input): string {
  if (input.byte() % 2 === 0) return input.of(STRINGS)
  return String.fromCharCode(
    ...Array.from({ length: input.below(40) }, () => (input.byte() % 8 === 0 ? input.uint32() & 0xffff : input.byte())),
  )
}

function kept<T extends object>(object: T, made: object[]): T {
  made.push(object)
  return object
}

function fill(object: object, input: Input, depth: number, made: object[]): object {
  for (const part of parts(input, depth, made))
    Object.defineProperty(object, text(input), { value: part, writable: true, enumerable: true, configurable: true })
  return object
}

const VIEWS = [Uint8Array, Int16Array, Float32Array, BigInt64Array, DataView] as unknown as Uint8ArrayConstructor[]

const MAKE: Make[] = [
  (input) => (input.byte() << 24) >> input.below(32),
  (input) => input.float64(),
  (input) => input.of([undefined, null, true, false, -0, NaN, 2 ** 31, -(2 ** 31), 1e300]),
  text,
  text,
  (input, depth, made) => {
    const array: unknown[] = kept([], made)
    for (const part of parts(input, depth, made)) array.push(part)
    if (input.byte() % 16 === 0) array.length += 1 + input.below(3)
    return array
  },
  (input, depth, made) => fill(kept({}, made), input, depth, made),
  (input, depth, made) => fill(kept({}, made), input, depth, made),
  (input, _depth, made) => (made.length === 0 ? null : input.of(made)),
  (input, depth, made) => {
    const map = kept(new Map<unknown, unknown>(), made)
    for (const part of parts(input, depth, made)) map.set(part, value(input, depth + 1, made))
    return map
  },
  (input, depth, made) => {
    const set = kept(new Set<unknown>(), made)
    for (const part of parts(input, depth, made)) set.add(part)
    return set
  },
  (input) => new Date(input.byte() % 4 === 0 ? NaN : input.uint32()),
  (input) => BigInt(input.uint32()) ** BigInt(input.below(6)) * (input.byte() % 2 === 0 ? 1n : -1n),
  (input) => {
    const { buffer } = Uint8Array.from({ length: 8 * input.below(8) }, () => input.byte())
    return input.byte() % 4 === 0 ? buffer : new (input.of(VIEWS))(buffer)
  },
  (input, _depth, made) => kept(new RangeError(text(input)), made),
  (input) => new (input.of([Number, String, Boolean] as unknown as StringConstructor[]))(input.byte()),
]

function value(input: Input, depth: number, made: object[]): unknown {
  return input.of(depth > MOST_DEPTH || input.over ? MAKE.slice(0, 5) : MAKE)(input, depth, made)
}

const codec = messageCodec('any', 'item') as MessageCodec<unknown>

/** A hand with little space of its own, so that longer items take other ways. */
const hand = new OneHand(spaceOver(new ArrayBuffer(256), 0, 256))

function alone(item: unknown): unknown {
  codec.encode(item, hand)
  const { space, end, body, bodyBytes } = hand
  if (body === undefined) return codec.decode(space, 0, end)
  const copy = spaceOver(new ArrayBuffer(bodyBytes), 0, bodyBytes)
  new Uint8Array(copy.buffer).set(body.subarray(0, bodyBytes))
  return codec.receive(space, copy.bytes, bodyBytes)
}

function inBatch(item: unknown): unknown[] {
  const packing = new PackingHand()
  const places: [at: number, bytes: number][] = []
  for (let k = 0; k < 3; k++) {
    codec.encode(item, packing)
    places.push([packing.at, packing.end - packing.at])
    packing.close()
  }
  return places.map(([at, bytes]) => codec.decode(packing.space, at, bytes))
}

export function roundtrip(bytes: Uint8Array): void {
  const item = value(new Input(bytes), 0, [])
  let expected: unknown
  try {
    expected = structuredClone(item)
  } catch {
    // Node 20 can't clone an error that is its own cause.
    return
  }
  for (const got of [alone(item), ...inBatch(item)]) assertClone(got, expected)
}
