/**
 * One stage as a process: `node stage.js read|crunch|total --over redis|nats --run NAME --directory
 * DIRECTORY --file FILE`.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Kept } from './kept.js'
import { type Place, PLACES, type Queues } from './places.js'
import { crunch, read, type Sums, total } from './stages.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    over: { type: 'string', default: 'redis' },
    run: { type: 'string', default: 'beyond' },
    directory: { type: 'string', default: '.' },
    file: { type: 'string', default: 'access.ndjson' },
  },
})
const kept = <T>(name: string) => new Kept<T>(join(options.directory, `${options.run}.${name}`))

const STAGES: Readonly<Record<string, (queues: Queues) => Promise<unknown>>> = {
  read: ({ blocks }) => read(options.file, blocks, kept('checkpoint')),
  crunch: ({ blocks, parts }) => crunch(blocks, parts),
  total: async ({ parts }) => show(await total(parts, kept('ledger'))),
}

/** Prints the result, for whoever has started this process by hand. */
function show({ paths }: Sums): void {
  if (process.send) return
  for (const [path, { requests, failed }] of [...paths].sort()) console.log(`${path}: ${requests} requests, ${failed} failed`)
}

const stage = STAGES[positionals[0] ?? '']
const place = PLACES[options.over as Place]
if (!stage || !place) throw new Error(`usage: stage.js ${Object.keys(STAGES).join('|')} [--over ${Object.keys(PLACES).join('|')}] ...`)
const queues = await place(options.run)
process.send?.('at work')
await stage(queues)
await queues.end()
process.disconnect?.()
