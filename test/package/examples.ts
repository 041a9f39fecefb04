/** Declarations of the names that the examples of doc comments use. */
export const NAMES = `
declare const Worker: typeof import('node:worker_threads').Worker
declare const workerData: never
declare const createReadStream: typeof import('node:fs').createReadStream
declare const pipeline: typeof import('node:stream/promises').pipeline
declare const split: () => NodeJS.ReadWriteStream

declare const addon: { start(native: import('threadsafe').NativeHandle<'queue'>): void }
declare const block: Float32Array
declare const blocks: import('threadsafe').ThreadSafeQueue<Float32Array>
declare const context: import('threadsafe').Context
declare const counters: import('threadsafe').SharedRecord<{ hits: number }>
declare const file: URL
declare const filled: import('threadsafe').ThreadSafeQueue<number, Uint32Array>
declare const image: Uint8Array
declare const item: number
declare const jobs: import('threadsafe').ThreadSafeQueue<string>
declare const lock: import('threadsafe').Lock
declare const normal: import('threadsafe').ThreadSafeQueue<string>
declare const pool: import('threadsafe').BufferPool<Float32Array>
declare const position: import('threadsafe').SharedRecord<{ x: number; y: number }>
declare const progress: import('threadsafe').Message<{ done: number; of: number }>
declare const queue: import('threadsafe').ThreadSafeQueue<number, Float32Array>
declare const ready: import('threadsafe').ThreadSafeEvent
declare const samples: Float32Array
declare const seen: number
declare const stop: import('threadsafe').ThreadSafeEvent
declare const urgent: import('threadsafe').ThreadSafeQueue<string>
declare let lost: number

declare const draw: (x: number, y: number) => void
declare const play: (samples: Float32Array | Float64Array) => void
declare const read: () => Promise<number[]>
declare const repair: () => void
declare const run: (job: string | number) => Promise<void>
declare const sample: (timestamp: bigint, overrun: number) => void
declare const show: (share: number) => void
declare const shutDown: () => void
declare const sum: (numbers: number[]) => number
declare const update: () => void
declare const use: (item: number) => void

declare module '*/jobs.js' {
  export function deriveKey(password: string, salt: string): Uint8Array
}
`
