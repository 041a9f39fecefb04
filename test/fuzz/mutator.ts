/** Makes inputs from other inputs. The same seed makes the same ones. */

/** Values of bytes, and of 4-byte words, at which code often branches. */
const BYTES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 24, 40, 63, 64, 127, 128, 254, 255]
const WORDS = [0, 1, 2, 4, 16, 255, 256, 4096, 0xffff, 0x10000, 0x20001, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]
const MOST_CHANGES = 6

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(limit: number): number {
    // The generator is mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T
  }
}

type Change = (bytes: Buffer, random: Random, other: Uint8Array) => Buffer<ArrayBufferLike>

/** Returns a random part of the bytes. */
function part(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length)
  return bytes.subarray(at, at + 1 + random.below(Math.min(32, bytes.length - at)))
}

function inserted(bytes: Buffer, at: number, some: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), some, bytes.subarray(at)])
}

function written(bytes: Buffer, at: number, some: Uint8Array): Buffer {
  bytes.set(some.subarray(0, bytes.length - at), at)
  return bytes
}

function word(random: Random): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(random.of(WORDS))
  return bytes
}

const CHANGES: Change[] = [
  (bytes, random) => written(bytes, random.below(bytes.length), Buffer.of(random.below(256))),
  (bytes, random) => written(bytes, random.below(bytes.length), Buffer.of(random.of(BYTES))),
  (bytes, random) => {
    const at = random.below(bytes.length)
    return written(bytes, at, Buffer.of((bytes[at] as number) ^ (1 << random.below(8))))
  },
  (bytes, random) => {
    const at = random.below(bytes.length)
    return written(bytes, at, Buffer.of(((bytes[at] as number) + random.below(33) - 16) & 0xff))
  },
  (bytes, random) => written(bytes, random.below(bytes.length), word(random)),
  (bytes, random) => inserted(bytes, random.below(bytes.length + 1), Buffer.of(random.of(BYTES))),
  (bytes, random) => inserted(bytes, random.below(bytes.length + 1), word(random)),
  (bytes, random) => inserted(bytes, random.below(bytes.length + 1), Buffer.alloc(1 + random.below(32), random.below(256))),
  (bytes, random) => inserted(bytes, random.below(bytes.length + 1), part(bytes, random)),
  (bytes, random, other) => inserted(bytes, random.below(bytes.length + 1), part(other, random)),
  (bytes, random, other) => written(bytes, random.below(bytes.length), part(other, random)),
  (bytes, random) => {
    const at = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(16))])
  },
]

/** Returns a changed copy of at most `most` bytes, some of which may come from `other`. */
export function mutated(input: Uint8Array, other: Uint8Array, most: number, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input)
  for (let changes = 1 + random.below(MOST_CHANGES); changes > 0; changes--) {
    if (bytes.length === 0) bytes = Buffer.of(random.below(256))
    bytes = random.of(CHANGES)(bytes, random, other.length === 0 ? bytes : other)
  }
  return bytes.subarray(0, most)
}
