/** One thread of a crew. */
import { parentPort, workerData } from 'node:worker_threads'
import { now } from './clock.js'
import type { Outcome, Roles, WorkerSetup } from './crew.js'

const { module, role, data, threads, gate } = workerData as WorkerSetup
const words = new Int32Array(gate)
const ARRIVED = 0
const OPEN = 1

/** Milliseconds. Who sleeps at the gate may wake up on the core of another. */
const SPINNING = 5

function passGate(round: number): void {
  if (Atomics.add(words, ARRIVED, 1) + 1 === threads * round) {
    Atomics.store(words, OPEN, round)
    Atomics.notify(words, OPEN)
  }
  const patience = performance.now() + SPINNING
  while (Atomics.load(words, OPEN) < round && performance.now() < patience);
  for (let open = Atomics.load(words, OPEN); open < round; open = Atomics.load(words, OPEN)) Atomics.wait(words, OPEN, open)
}

const { roles } = (await import(module)) as { roles: Roles }
const work = await (roles[role] as Roles[string])(data as never)

parentPort?.on('message', async ({ lead, items, round }: { lead: number; items: number; round: number }) => {
  let outcome: Outcome
  try {
    if (lead > 0) await work(lead)
    passGate(round)
    const start = now()
    const result = await work(items)
    outcome = { start, end: now(), result }
  } catch (error) {
    outcome = { start: 0, end: 0, result: undefined, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  parentPort?.postMessage(outcome)
})
