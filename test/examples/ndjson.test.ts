/** The example that crunches newline-delimited JSON, with files of a few megabytes. */
import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { BLOCK } from '../../examples/ndjson/blocks.js'
import { crunchAlone, crunchByPool } from '../../examples/ndjson/crunch.js'
import { generate } from '../../examples/ndjson/generate.js'
import type { Entry, Summary } from '../../examples/ndjson/summary.js'
import { rejection, within } from '../support.js'

const WORKERS = 2

describe('examples/ndjson', function () {
  this.timeout(60_000)

  const CRUNCHERS = {
    'one thread': crunchAlone,
    'a pool, by tokens': (path: string) => within('the sums', crunchByPool(path, WORKERS, 'pool'), 30_000),
    'a pool, by bytes': (path: string) => within('the sums', crunchByPool(path, WORKERS, 'bytes'), 30_000),
  }
  let directory: string
  let file: string

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'threadsafe-ndjson-'))
    file = join(directory, 'lines.ndjson')
  })

  after(() => rmSync(directory, { recursive: true, force: true }))

  const entry: Entry = {
    time: '2026-01-01T00:00:00.000Z',
    user: 'u1',
    path: '/ö',
    status: 200,
    bytes: 10,
    duration: 100,
    agent: 'test',
  }
  const requests = ({ paths }: Summary): number => [...paths.values()].reduce((sum, { requests }) => sum + requests, 0)

  for (const [name, crunch] of Object.entries(CRUNCHERS)) {
    describe(name, () => {
      it('finds everything that was written', async () => {
        const expected = generate(file, 8 * BLOCK + 1000)
        const found = await crunch(file)
        assert.equal(found.bad, 0, 'lines were torn')
        assert.deepEqual(new Map([...found.paths].sort()), new Map([...expected.paths].sort()))
        assert.deepEqual(found.minutes, expected.minutes)
      })

      it('reads an empty file, and one that ends without a newline', async () => {
        writeFileSync(file, '')
        assert.equal(requests(await crunch(file)), 0)
        writeFileSync(file, `\n${JSON.stringify(entry)}\n\n${JSON.stringify(entry)}`)
        const { bad, paths } = await crunch(file)
        assert.equal(bad, 0)
        assert.equal(paths.get('/ö')?.requests, 2)
      })

      it('reads lines that fill a block to the last byte', async () => {
        const line = JSON.stringify(entry)
        const full = JSON.stringify({ ...entry, agent: 'test'.padEnd(4 + BLOCK - 1 - Buffer.byteLength(line)) })
        writeFileSync(file, `${full}\n${full}\n${line}\n`)
        const found = await crunch(file)
        assert.equal(found.bad, 0)
        assert.equal(requests(found), 3)
      })

      it('counts bad lines', async () => {
        const bad = [
          '{"time":',
          'null',
          '7',
          '[]',
          '{}',
          JSON.stringify({ ...entry, time: 'noon' }),
          JSON.stringify({ ...entry, bytes: '1' }),
        ]
        writeFileSync(file, `${JSON.stringify(entry)}\n${bad.join('\n')}\n`)
        const found = await crunch(file)
        assert.equal(found.bad, bad.length)
        assert.equal(requests(found), 1)
      })

      it('refuses a line that is too long for a block, and says where it begins', async () => {
        writeFileSync(file, `{}\n"${'x'.repeat(BLOCK)}"\n`)
        assert.match(String(await rejection(crunch(file))), /RangeError: .*the line that begins at byte 3 has more than/u)
        assert.match(String(await rejection(crunch(join(directory, 'none')))), /ENOENT/u)
      })
    })
  }

  for (const way of ['pool', 'bytes'] as const) {
    it(`lets the reader take blocks that nobody else takes (${way})`, async () => {
      const expected = generate(file, 12 * BLOCK)
      const found = await within('the sums', crunchByPool(file, 0, way), 10_000)
      assert.equal(requests(found), requests(expected))
    })

    it(`fails when a worker dies, and leaves nothing waiting (${way})`, async () => {
      generate(file, 20 * BLOCK)
      // The worker dies after its start. By then the reader waits for room, unless the machine is
      // very busy.
      process.once('worker', (worker: Worker) => worker.once('online', () => void worker.terminate()))
      assert.match(String(await rejection(crunchByPool(file, 1, way))), /A worker has ended before its work was done/u)
      process.once('worker', (worker: Worker) => void worker.terminate())
      assert.match(String(await rejection(crunchByPool(file, WORKERS, way))), /A worker has ended before its work was done/u)
    })
  }
})
