/**
 * A message is an event with a payload. Five waiting calls, in this loop and in a worker, get the
 * value of one `set()`. Then an iterator that is slower than the values sees the latest one each
 * time, and skips those that were overwritten.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Message } from 'threadsafe'
import type { Report } from '../display.js'
import { type Example, runIfMain } from '../example.js'
import type { Weather } from './message-worker.js'

const IN_LOOP = 3
const IN_WORKER = 2
const VALUES = 200

async function run(report: Report): Promise<string> {
  const weather = new Message<Weather>()
  const worker = new Worker(new URL('./message-worker.js', import.meta.url), { workerData: { handle: weather.handle, waiters: IN_WORKER } })
  const ended = once(worker, 'exit')
  await once(worker, 'message') // it waits by now

  // One set() serves all calls that wait at that moment, even if clear() follows at once.
  const here = Array.from({ length: IN_LOOP }, () => weather.wait())
  const there = once(worker, 'message')
  weather.set({ place: 'Bergen', celsius: 11 })
  weather.clear()
  const [replies] = (await there) as [Weather[]]
  const received = [...(await Promise.all(here)), ...replies]
  assert.equal(received.length, IN_LOOP + IN_WORKER)
  for (const { celsius } of received) assert.equal(celsius, 11)
  report(`${received.length} waiters have been told of ${received[0]?.place}`)
  assert.equal(weather.isSet(), false)
  assert.equal(weather.value()?.celsius, 11, 'clear() keeps the value')

  // A slow reader sees the latest value.
  const seen: number[] = []
  const read = (async () => {
    for await (const { celsius } of weather) {
      seen.push(celsius)
      if (celsius === VALUES) break
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  for (let celsius = 1; celsius <= VALUES; celsius++) {
    weather.set({ place: 'Oslo', celsius })
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await read
  await ended

  assert.ok(
    seen.every((celsius, k) => k === 0 || celsius > (seen[k - 1] as number)),
    'a value came twice, or an older one after a newer one',
  )
  assert.ok(seen.length < VALUES, 'a slow reader skips what was written over')
  return `${received.length} waiters woken by one set(); of ${VALUES} values a slow reader has seen ${seen.length}, the last among them`
}

export const message: Example = {
  name: 'message',
  shows: 'One set() tells five waiters in two threads; an iterator skips what was written over before it looked.',
  run,
}

await runIfMain(import.meta.url, message)
