/** Pools of one worker, for running a function in another thread and awaiting it. */
import { fileURLToPath } from 'node:url'
import { Context } from '../../lib/index.js'
import type * as jobs from './jobs.js'

const JOBS = new URL('./jobs.js', import.meta.url)

/** Runs `next()` of jobs.ts in the pool's worker. */
export type Next = (x: number) => Promise<number>

export function ourContext(): Next {
  const context = new Context<typeof jobs>(JOBS)
  return (x) => context.assign('next', x)
}

export async function tinypool(): Promise<Next> {
  const { Tinypool } = await import('tinypool')
  const pool = new Tinypool({ filename: JOBS.href, minThreads: 1, maxThreads: 1 })
  return (x) => pool.run(x, { name: 'next' }) as Promise<number>
}

export async function piscina(): Promise<Next> {
  const { Piscina } = await import('piscina')
  const pool = new Piscina({ filename: fileURLToPath(JOBS), minThreads: 1, maxThreads: 1 })
  return (x) => pool.run(x, { name: 'next' }) as Promise<number>
}
