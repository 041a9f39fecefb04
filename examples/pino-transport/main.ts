/**
 * Measures lines per second of pino through a queue and through thread-stream, alternately, into a
 * file.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { count } from '../display.js'
import { queueTransport } from './queue-transport.js'

const { values: options } = parseArgs({
  options: { lines: { type: 'string', default: '300000' }, rounds: { type: 'string', default: '5' } },
})
const [lines, rounds] = [Number(options.lines), Number(options.rounds)]
if (!(lines > 0 && rounds > 0)) throw new RangeError('--lines and --rounds must be numbers above 0')

const target = createRequire(import.meta.url).resolve('pino/file')
const contenders = {
  'a queue': (destination: string) => queueTransport({ filename: target, workerData: { destination } }),
  'thread-stream': (destination: string) => pino.transport({ target, options: { destination } }),
}
const times = Object.keys(contenders).map((): number[] => [])
const directory = mkdtempSync(join(tmpdir(), 'threadsafe-pino-'))
try {
  for (let round = 0; round < rounds; round++) {
    for (const [k, create] of Object.values(contenders).entries()) {
      const file = join(directory, `${round}-${k}`)
      const stream = create(file)
      await once(stream, 'ready')
      const log = pino(stream)
      const start = performance.now()
      for (let line = 0; line < lines; line++) log.info({ line }, 'request served')
      ;(stream as unknown as { ref(): void }).ref() // until 'close'; the types of thread-stream lack it
      const closed = once(stream, 'close')
      // Both block in end() until the file has everything.
      stream.flushSync()
      stream.end()
      await closed
      times[k]?.push(performance.now() - start)
      const found = readFileSync(file).reduce((sum, byte) => sum + Number(byte === 0x0a), 0)
      if (found !== lines) throw new Error(`${found} of ${lines} lines are in the file`)
      rmSync(file)
    }
  }
} finally {
  rmSync(directory, { recursive: true })
}
for (const [k, name] of Object.keys(contenders).entries()) {
  const median = (times[k] as number[]).sort((a, b) => a - b)[rounds >> 1] as number
  console.log(`through ${name.padEnd(14)}${count((lines / median) * 1000).padStart(9)} lines a second`)
}
