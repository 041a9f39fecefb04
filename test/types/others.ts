/** select(), signals, events, errors, streams. */
import { subscribe } from 'node:diagnostics_channel'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'
import {
  attachSignal,
  type BlockMessage,
  type EventHandle,
  QueueClosedError,
  type QueueDropMessage,
  QueueFullError,
  type QueueStats,
  select,
  selectSync,
  sendSignal,
  type SignalInfo,
  signalInfo,
  type SignalName,
  type SignalSource,
  SignalTimer,
  ThreadSafeError,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
} from 'threadsafe'
import { same } from './same.js'

const floats = new ThreadSafeQueue(4, { type: 'float64' })
const texts = new ThreadSafeQueue<string>(4)
const bytes = new ThreadSafeQueue(4, { type: 'bytes' })
const stop = new ThreadSafeEvent()
stop.handle satisfies EventHandle
// @ts-expect-error no handle
ThreadSafeEvent.from({})
// @ts-expect-error the handle of another class
ThreadSafeEvent.from(floats.handle)
// @ts-expect-error the handle of another class
ThreadSafeQueue.from(stop.handle)
// @ts-expect-error synchronous calls can't be cancelled
stop.waitSync({ timeout: 0, signal: AbortSignal.abort() })

export const got = await select([floats, texts, bytes, stop], { signal: AbortSignal.timeout(10), timeout: undefined })
switch (got.index) {
  case 0:
    same<typeof got.item, number>(true)
    same<typeof got.source, typeof floats>(true)
    break
  case 1:
    same<typeof got.item, string>(true)
    break
  case 2:
    same<typeof got.item, Uint8Array>(true)
    break
  default:
    same<typeof got.index, 3>(true)
    same<typeof got.item, undefined>(true)
}
const either = selectSync([floats, stop], { timeout: 10 })
if (either.index === 0) either.item satisfies number
const list: ThreadSafeQueue<string>[] = [texts]
same<Awaited<ReturnType<typeof selected>>, string>(true)
async function selected() {
  return (await select(list)).item
}
const mixed: (ThreadSafeQueue<string> | ThreadSafeEvent)[] = [texts, stop]
selectSync(mixed, { timeout: 0 }).item satisfies string | undefined
// @ts-expect-error no source
void select([Promise.resolve()])

// Signals.
const signals = new ThreadSafeQueue(10, { type: signalInfo })
same<ReturnType<typeof signals.getSync>, SignalInfo>(true)
signals satisfies ThreadSafeQueue<SignalInfo>
new ThreadSafeQueue<SignalInfo>(10, { type: signalInfo }).close()
same<SignalInfo['timestamp'], bigint>(true)
const source = attachSignal('SIGUSR2', signals)
source satisfies SignalSource & Disposable
attachSignal('SIGUSR1', stop, { inspectorSignal: true })
attachSignal('SIGRTMIN', signals)
attachSignal('SIGRTMIN+3', signals)
attachSignal('SIGRTMAX-2', signals)
attachSignal(12, signals)
declare const someSignal: NodeJS.Signals
attachSignal(someSignal, signals)
const offset = 3
const realtime: SignalName = `SIGRTMIN+${offset}`
attachSignal(realtime, signals)
sendSignal(1, realtime, 1)
// @ts-expect-error no such signal
attachSignal('SIGUSR9', signals)
// @ts-expect-error no such signal
attachSignal('SIGRTMIN+x', signals)
// @ts-expect-error no such signal
sendSignal(1, 'USR2')
// @ts-expect-error a queue of another type
attachSignal('SIGUSR2', floats)
// @ts-expect-error a queue of another type
attachSignal('SIGUSR2', texts)
const anything = new ThreadSafeQueue(4)
// @ts-expect-error a queue whose items are not known
attachSignal('SIGUSR2', anything)
// @ts-expect-error no target
attachSignal('SIGUSR2', () => {})
new SignalTimer(1000, signals, { signal: 'SIGRTMIN+4', thread: 'loop' }).stop()
// @ts-expect-error no such signal
new SignalTimer(1000, signals, { signal: 'SIGRT' })

// Errors.
const error: unknown = new QueueFullError()
if (error instanceof ThreadSafeError) error.code satisfies string
if (error instanceof QueueClosedError) error.index satisfies number | undefined
if (error instanceof TimeoutError) error.message satisfies string

// The rest.
floats.stats() satisfies QueueStats
floats.name satisfies string
inspect(floats) satisfies string
await pipeline(['a', 'b'], texts.writable({ close: true, highWaterMark: undefined }))
subscribe('threadsafe:queue:drop', (message) => {
  const { queue, count } = message as QueueDropMessage
  count satisfies number
  queue.name satisfies string
})
subscribe('threadsafe:block', (message) => {
  for (const source of (message as BlockMessage).sources) if (source instanceof ThreadSafeQueue) source.qsize() satisfies number
})
{
  using queue = new ThreadSafeQueue(4, { type: 'int8' })
  await using other = ThreadSafeQueue.from(queue.handle)
  other.tryPut(1)
}

// The internals of the package are not in its declarations.
// @ts-expect-error internal
void floats.channel
// @ts-expect-error internal
void floats.view
// @ts-expect-error internal
void signalInfo.layout
// @ts-expect-error internal
source.end()
