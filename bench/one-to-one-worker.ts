import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../lib/index.js'
import { ringOver } from './ringbuf.js'

export type Transport =
  | { readonly kind: 'threadsafe'; readonly handle: QueueHandle<number> }
  | { readonly kind: 'ringbuf'; readonly storage: SharedArrayBuffer }
  | { readonly kind: 'postMessage'; readonly port: MessagePort }

export interface Job {
  readonly role: 'producer' | 'consumer'
  readonly transport: Transport
  readonly items: number
  /** 1 as soon as the consumer is ready. */
  readonly gate: SharedArrayBuffer
}

const { role, transport, items, gate } = workerData as Job
const ready = new Int32Array(gate)

function open(): void {
  Atomics.store(ready, 0, 1)
  Atomics.notify(ready, 0)
}

function produce(put: (value: number) => void): void {
  Atomics.wait(ready, 0, 0)
  for (let k = 0; k < items; k++) put(k)
  parentPort?.postMessage(0)
}

/** Measures from the first item on. */
class Stopwatch {
  #start = 0n
  #next = 0

  check(value: number): void {
    if (value !== this.#next) throw new Error(`Got ${value} instead of ${this.#next}`)
    if (this.#next === 0) this.#start = process.hrtime.bigint()
    if (++this.#next === items) parentPort?.postMessage(Number(process.hrtime.bigint() - this.#start))
  }
}

function consume(get: () => number): void {
  const stopwatch = new Stopwatch()
  open()
  for (let k = 0; k < items; k++) stopwatch.check(get())
}

const BLOCKING = { block: true }

switch (transport.kind) {
  case 'threadsafe': {
    const queue = ThreadSafeQueue.from<number>(transport.handle)
    if (role === 'producer') produce((value) => queue.putSync(value, BLOCKING))
    else consume(() => queue.getSync(BLOCKING))
    break
  }
  case 'ringbuf': {
    const ring = ringOver(transport.storage)
    if (role === 'producer') produce((value) => ring.put(value))
    else consume(() => ring.get())
    break
  }
  case 'postMessage': {
    const { port } = transport
    if (role === 'producer') {
      produce((value) => port.postMessage(value))
    } else {
      const stopwatch = new Stopwatch()
      port.on('message', (value: number) => stopwatch.check(value))
      open()
    }
  }
}
