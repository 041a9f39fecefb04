/**
 * thread-stream: strings go from a thread to a stream in a worker that the package starts. It
 * bounds the bytes in flight.
 */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import ThreadStream from 'thread-stream'
import type { Contender } from '../harness/case.js'
import { itemsOf, type Payload, STRING_LENGTH } from './payload.js'

export function threadStream(payload: Payload): Contender {
  return {
    id: 'thread-stream',
    name: 'thread-stream, write',
    package: 'thread-stream',
    note: 'strings run into one another: a stream, not a queue',
    async open() {
      const received = new SharedArrayBuffer(8)
      const counter = new BigInt64Array(received)
      const filename = fileURLToPath(new URL('./thread-stream-destination.js', import.meta.url))
      const stream = new ThreadStream({ filename, workerData: { received }, sync: false })
      await once(stream, 'ready')
      const { make } = itemsOf(payload)
      return async (items) => {
        const before = Atomics.load(counter, 0)
        const start = process.hrtime.bigint()
        for (let k = 0; k < items; k++) {
          if (!stream.write(make(k) as string)) await once(stream, 'drain')
        }
        await new Promise((resolve) => stream.flush(resolve))
        const nanoseconds = Number(process.hrtime.bigint() - start)
        const characters = Number(Atomics.load(counter, 0) - before)
        if (characters !== items * STRING_LENGTH) throw new Error(`${characters} characters arrived of ${items * STRING_LENGTH}`)
        return nanoseconds / items
      }
    },
  }
}
