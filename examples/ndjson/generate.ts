/** Makes a file to crunch, and returns what must come out. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { type Entry, Summary } from './summary.js'

const PATHS = ['/', '/login', '/api/orders', '/api/orders/recent', '/api/users', '/search', '/files/größe', '/健康']
const AGENTS = ['curl/8.5.0', 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0', 'Überwachung/2.1']
const CHUNK = 2 ** 20

export function generate(file: string, bytes: number): Summary {
  const summary = new Summary()
  const descriptor = openSync(file, 'w')
  try {
    let size = 0
    let chunk = ''
    for (let k = 0; size < bytes; k++) {
      const entry = makeEntry(k)
      summary.add(entry)
      chunk += `${JSON.stringify(entry)}\n`
      if (chunk.length >= CHUNK || size + chunk.length >= bytes) {
        for (let rest = Buffer.from(chunk); rest.length > 0;) {
          const written = writeSync(descriptor, rest)
          size += written
          rest = rest.subarray(written)
        }
        chunk = ''
      }
    }
  } finally {
    closeSync(descriptor)
  }
  return summary
}

function makeEntry(k: number): Entry {
  const random = Math.imul(k + 1, 0x9e3779b1) >>> 0 // the same each time, and good enough to look random
  return {
    time: new Date(1_790_000_000_000 + k).toISOString(),
    user: `u${random % 10_000}`,
    path: PATHS[(random >>> 8) % PATHS.length] as string,
    status: random % 97 === 0 ? 503 : 200,
    bytes: random >>> 16,
    duration: 100 + (random >>> 12),
    agent: AGENTS[(random >>> 20) % AGENTS.length] as string,
  }
}
