/** The cost of a trivial function that runs in a worker, and of awaiting its result. */
import type { Case, Contender, Runner } from '../harness/case.js'
import { type Next, ourContext, piscina, tinypool } from '../peers/pools.js'

/** Returns microseconds per job. Each group of `atOnce` jobs is assigned at once, then awaited. */
function runner(next: Next, atOnce: number): Runner {
  return async (items) => {
    const groups = Math.ceil(items / atOnce)
    let sum = 0
    const start = process.hrtime.bigint()
    for (let k = 0; k < groups; k++) {
      const results = await Promise.all(Array.from({ length: atOnce }, (_, n) => next(n)))
      for (const result of results) sum += result
    }
    const microseconds = Number(process.hrtime.bigint() - start) / 1000
    const expected = (groups * atOnce * (atOnce + 1)) / 2
    if (sum !== expected) throw new Error(`the results sum up to ${sum}, not ${expected}`)
    return microseconds / (groups * atOnce)
  }
}

function contenders(atOnce: number): readonly Contender[] {
  return [
    { id: 'threadsafe', name: 'threadsafe, Context', package: 'threadsafe', open: () => runner(ourContext(), atOnce) },
    { id: 'tinypool', name: 'tinypool', package: 'tinypool', note: 'one thread', open: async () => runner(await tinypool(), atOnce) },
    { id: 'piscina', name: 'piscina', package: 'piscina', note: 'one thread', open: async () => runner(await piscina(), atOnce) },
  ]
}

function goals(how: string): Case['goals'] {
  return ['tinypool', 'piscina'].map((against) => ({
    text: `a trivial job, ${how}: >= 1.5 x faster than ${against}`,
    against,
    atMost: 1 / 1.5,
  }))
}

const common = { topology: 'jobs', kind: 'rate', unit: 'us/job' } as const

export const context: readonly Case[] = [
  {
    ...common,
    id: 'context-one',
    title: 'A trivial job in a worker, one at a time',
    contenders: contenders(1),
    goals: goals('one at a time'),
  },
  {
    ...common,
    id: 'context-hundred',
    title: 'A trivial job in a worker, a hundred at once',
    contenders: contenders(100),
    goals: goals('a hundred at once'),
  },
]
