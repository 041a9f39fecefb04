/** Records and messages. */
import {
  attachSignal,
  Message,
  type MessageHandle,
  record,
  type RecordHandle,
  type RecordStats,
  select,
  SharedRecord,
  type SignalInfo,
  signalInfo,
  SignalTimer,
  ThreadSafeQueue,
} from 'threadsafe'
import { same } from './same.js'

const position = new SharedRecord(record({ x: 'float64', t: 'biguint64', on: 'boolean', path: 'float32[3]' }))
const now = position.read()
same<typeof now, { x: number; t: bigint; on: boolean; path: Float32Array }>(true)
position.write({ x: 1, path: [1, 2, 3] }) satisfies number
position.write({})
position.update(({ x }) => ({ x: x + 1 })) satisfies number
// @ts-expect-error no such type
position.write({ x: '1' })
// @ts-expect-error no such field
position.write({ y: 1 })
// @ts-expect-error no such type
position.update(() => ({ t: 1 }))
position.readWithVersion() satisfies { value: { x: number }; version: number }
position.stats() satisfies RecordStats
position.version satisfies number
;(await position.wait(0, { timeout: 5, signal: undefined })) satisfies number
position.waitSync(0, { timeout: 5 }) satisfies number
for await (const { t } of position) t satisfies bigint
position.ref().unref()
position.handle satisfies RecordHandle
const posted = SharedRecord.from(position.handle)
same<ReturnType<typeof posted.read>, { x: number; t: bigint; on: boolean; path: Float32Array }>(true)
posted.write({ path: [1, 2, 3] })
new SharedRecord(record({ x: 'float64' }), { x: 1 })
// @ts-expect-error no such type
new SharedRecord(record({ x: 'float64' }), { x: 1n })
// @ts-expect-error no record type
new SharedRecord({ x: 'float64' })
const named = new SharedRecord<{ x: number }>(record({ x: 'float64' }))
same<ReturnType<typeof named.read>, { x: number }>(true)
// @ts-expect-error another type than the one that is named
new SharedRecord<{ x: number }>(record({ x: 'bigint64' }))
const lost = SharedRecord.from<{ x: number }>(JSON.parse('{}') as RecordHandle<{ x: number }>)
lost.read().x satisfies number
// @ts-expect-error no handle
SharedRecord.from({})

const anything = new Message()
anything.set()
anything.set({ a: 1 })
same<ReturnType<typeof anything.value>, unknown>(true)
const progress = new Message<{ done: number }>({ maxBytes: 100 })
progress.set({ done: 1 })
// @ts-expect-error another type
progress.set({ done: '1' })
same<ReturnType<typeof progress.value>, { done: number } | undefined>(true)
same<Awaited<ReturnType<typeof progress.wait>>, { done: number }>(true)
same<ReturnType<typeof progress.waitSync>, { done: number }>(true)
for await (const { done } of progress) done satisfies number
const celsius = new Message({ type: 'float64' })
celsius.set(1.5)
// @ts-expect-error another type
celsius.set('1.5')
same<Awaited<ReturnType<typeof celsius.wait>>, number>(true)
const block = new Message({ type: 'float32[3]' })
block.set([1, 2, 3])
same<ReturnType<typeof block.waitSync>, Float32Array>(true)
// @ts-expect-error contradicts
new Message<string>({ type: 'float64' })
progress.handle satisfies MessageHandle
const other = Message.from(celsius.handle)
same<ReturnType<typeof other.waitSync>, number>(true)
const said = Message.from<string>(JSON.parse('{}') as MessageHandle<string>)
said.waitSync() satisfies string
// @ts-expect-error the handle of another class
Message.from(position.handle)
// @ts-expect-error the handle of another class
SharedRecord.from(celsius.handle)

const selected = await select([celsius, new ThreadSafeQueue<string>(1), progress])
if (selected.index === 0) selected.item satisfies number
if (selected.index === 1) selected.item satisfies string
if (selected.index === 2) selected.item satisfies { done: number }

const latest = new Message({ type: signalInfo })
attachSignal('SIGUSR2', latest).detach()
attachSignal('SIGUSR2', new SharedRecord(signalInfo))
new SignalTimer(100, latest).stop()
same<ReturnType<typeof latest.waitSync>, SignalInfo>(true)
// @ts-expect-error a message of something else
attachSignal('SIGUSR2', celsius)
// @ts-expect-error a record of something else
attachSignal('SIGUSR2', position)
