// A signal with a value, and a kernel timer, through the handler.
import { attachSignal, sendSignal, signalInfo, SignalTimer, ThreadSafeEvent, ThreadSafeQueue } from 'threadsafe'

const signals = new ThreadSafeQueue(10, { type: signalInfo })
const source = attachSignal('SIGRTMIN+2', signals)
sendSignal(process.pid, 'SIGRTMIN+2', 42)
const { value } = await signals.get({ timeout: 10_000 })
if (value !== 42) throw new Error(`Got ${value}`)
source.detach()

const tick = new ThreadSafeEvent()
const timer = new SignalTimer(5000, tick)
await tick.wait({ timeout: 10_000 })
timer.stop()
console.log('works')
