/**
 * The items that are sent. Each carries its number, so that the receiver can check that all
 * arrived, and in order.
 */

export type Payload =
  | { readonly kind: 'number' }
  | { readonly kind: 'object' }
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes'; readonly bytes: number }

export interface Items {
  make(k: number): unknown
  read(item: unknown): number
  /** The value that `read` returns for the kth item. */
  expected(k: number): number
}

export interface SmallObject {
  readonly id: number
  readonly name: string
  readonly x: number
  readonly y: number
  readonly tags: readonly string[]
}

export const STRING_LENGTH = 200
const STRINGS = 64
const FIRST_CHARACTER = 48
const BYTE = 256
const WORD = BYTE * BYTE

function numbers(): Items {
  return { make: (k) => k, read: (item) => item as number, expected: (k) => k }
}

function objects(): Items {
  return {
    make: (k): SmallObject => ({ id: k, name: 'sensor 17', x: k + 0.5, y: -k, tags: ['north', 'roof', 'spare'] }),
    read: (item) => (item as SmallObject).id,
    expected: (k) => k,
  }
}

function strings(): Items {
  const texts = Array.from({ length: STRINGS }, (_, k) => {
    return String.fromCharCode(FIRST_CHARACTER + k) + 'The quick brown fox jumps over the lazy dog. '.repeat(5).slice(1, STRING_LENGTH)
  })
  return {
    make: (k) => texts[k % STRINGS],
    read: (item) => ((item as string).length === STRING_LENGTH ? (item as string).charCodeAt(0) - FIRST_CHARACTER : NaN),
    expected: (k) => k % STRINGS,
  }
}

/** Uses one buffer, with a new number for each item, as sending copies it. */
function buffers(bytes: number): Items {
  const buffer = new Uint8Array(bytes).fill(7)
  return {
    make(k) {
      buffer[0] = k
      buffer[1] = k / BYTE
      return buffer
    },
    read: (item) =>
      (item as Uint8Array).length === bytes ? ((item as Uint8Array)[0] as number) + ((item as Uint8Array)[1] as number) * BYTE : NaN,
    expected: (k) => k % WORD,
  }
}

export function itemsOf(payload: Payload): Items {
  switch (payload.kind) {
    case 'number':
      return numbers()
    case 'object':
      return objects()
    case 'string':
      return strings()
    case 'bytes':
      return buffers(payload.bytes)
  }
}
