/** The bytes of an input, read as numbers. Once they are used up, every number is 0. */
export class Input {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get over(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  below(limit: number): number {
    return this.byte() % limit
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T
  }

  uint32(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0
  }

  float64(): number {
    const view = new DataView(new ArrayBuffer(8))
    view.setUint32(0, this.uint32())
    view.setUint32(4, this.uint32())
    return view.getFloat64(0)
  }

  /** Returns the bytes that are left. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }
}
