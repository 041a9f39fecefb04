/** `pino(queueTransport({ filename }))` in place of `pino(pino.transport({ target }))`. */
import { QueueStream, type QueueStreamOptions } from './queue-stream.js'

/**
 * Makes a stream for pino that loses nothing when the process exits: by `process.exit()`, by an
 * uncaught error, or because there is nothing left to do. It does not keep the process alive.
 */
export function queueTransport(options: QueueStreamOptions): QueueStream {
  const stream = new QueueStream(options)
  const end = (): void => {
    if (stream.destroyed) return
    stream.flushSync()
    stream.end()
  }
  process.on('exit', end)
  stream.once('close', () => process.off('exit', end))
  stream.once('ready', () => stream.unref())
  return stream
}
