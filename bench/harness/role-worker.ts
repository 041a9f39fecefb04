/** One thread of a crew. */
import { availableParallelism } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { now } from './clock.js'
import type { Outcome, Roles, WorkerSetup } from './crew.js'

const { module, role, data, threads, gate } = workerData as WorkerSetup
const words = new Int32Array(gate)
const ARRIVED = 0
const OPEN = 1

/**
 * Milliseconds of spinning at the gate. A thread that sleeps there may wake up on another's core.
 * With more threads than cores, one that spins may keep another from arriving.
 */
const SPINNING = threads <= availableParallelism() ? 5 : 0

let passed = 0

/** Waits until all threads have arrived. */
function passGate(): void {
  const time = ++passed
  if (Atomics.add(words, ARRIVED, 1) + 1 === threads * time) {
    Atomics.store(words, OPEN, time)
    Atomics.notify(words, OPEN)
  }
  const patience = performance.now() + SPINNING
  while (Atomics.load(words, OPEN) < time && performance.now() < patience);
  for (let open = Atomics.load(words, OPEN); open < time; open = Atomics.load(words, OPEN)) Atomics.wait(words, OPEN, open)
}

const { roles } = (await import(module)) as { roles: Roles }
const work = await (roles[role] as Roles[string])(data as never)

interface Round {
  lead: number
  items: number
}

parentPort?.on('message', (round: Round) => void play(round))

async function play({ lead, items }: Round): Promise<void> {
  let outcome: Outcome
  try {
    if (lead > 0) {
      passGate()
      await work(lead)
    }
    passGate()
    const start = now()
    const result = await work(items)
    outcome = { start, end: now(), result }
  } catch (error) {
    outcome = { start: 0, end: 0, result: undefined, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  parentPort?.postMessage(outcome)
}
