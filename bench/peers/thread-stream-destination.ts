/** The stream that thread-stream's worker writes to. It counts the bytes. */
import { Writable } from 'node:stream'

export default function open({ received }: { received: SharedArrayBuffer }): Writable {
  const counter = new BigInt64Array(received)
  return new Writable({
    autoDestroy: true,
    write(chunk: Buffer, _encoding, done) {
      Atomics.add(counter, 0, BigInt(chunk.length))
      done()
    },
  })
}
