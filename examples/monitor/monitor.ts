/** Shows what queues do: a live view on a terminal, plain lines elsewhere. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { BlockMessage, QueueCloseMessage, QueueDropMessage, QueueStats, ThreadSafeQueue } from 'threadsafe'
import { Screen } from './screen.js'
import { fit, type Row, short, table } from './view.js'

const EVENTS = 8

/** Something that happened, and how often in a row. */
interface Occurrence {
  time: Date
  text: string
  /** The amount: items that were dropped, or milliseconds of blocking. */
  amount: number
  unit: string
}

/** Watches the queues until it is disposed of. It does not keep the process alive. */
export class Monitor implements Disposable {
  readonly #queues: readonly ThreadSafeQueue<unknown, unknown>[]
  readonly #screen: Screen | undefined
  readonly #timer: NodeJS.Timeout
  readonly #before: { stats: QueueStats; at: number }[]
  readonly #events: Occurrence[] = []
  #rows: Row[]

  constructor(queues: readonly ThreadSafeQueue<unknown, unknown>[], { interval = process.stdout.isTTY ? 250 : 1000 } = {}) {
    this.#queues = queues
    this.#before = queues.map((queue) => ({ stats: queue.stats(), at: performance.now() }))
    this.#rows = queues.map((_, k) => this.#row(k))
    subscribe('threadsafe:queue:drop', this.#onDrop)
    subscribe('threadsafe:queue:close', this.#onClose)
    subscribe('threadsafe:block', this.#onBlock)
    if (process.stdout.isTTY) this.#screen = new Screen(process.stdout, this.#draw)
    this.#timer = setInterval(this.#look, interval).unref()
    this.#draw()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    unsubscribe('threadsafe:queue:drop', this.#onDrop)
    unsubscribe('threadsafe:queue:close', this.#onClose)
    unsubscribe('threadsafe:block', this.#onBlock)
    this.#screen?.close()
  }

  readonly #look = (): void => {
    this.#rows = this.#queues.map((_, k) => this.#row(k))
    this.#draw()
  }

  /** Makes a queue's row. The counts of `stats()` are modulo 2^32, and so are their differences. */
  #row(k: number): Row {
    const queue = this.#queues[k] as ThreadSafeQueue<unknown, unknown>
    const before = this.#before[k] as { stats: QueueStats; at: number }
    const [stats, at] = [queue.stats(), performance.now()]
    this.#before[k] = { stats, at }
    const perSecond = (now: number, then: number): number => (((now - then) >>> 0) / Math.max(1, at - before.at)) * 1000
    return {
      name: queue.name || `queue ${k + 1}`,
      capacity: queue.capacity,
      closed: queue.closed,
      depth: stats.depth,
      putsPerSecond: perSecond(stats.puts, before.stats.puts),
      getsPerSecond: perSecond(stats.gets, before.stats.gets),
      waitingPuts: stats.waitingPuts,
      waitingGets: stats.waitingGets,
      dropped: stats.dropped,
      dropping: stats.dropped !== before.stats.dropped,
    }
  }

  readonly #onDrop = (message: unknown): void => {
    const { queue, count } = message as QueueDropMessage
    this.#note(`${named(queue)} was full and dropped`, count, 'items')
  }

  readonly #onClose = (message: unknown): void => {
    const { queue, discard } = message as QueueCloseMessage
    this.#note(`${named(queue)} was closed${discard ? ', and what was left is discarded' : ''}`, 0, '')
  }

  readonly #onBlock = (message: unknown): void => {
    const { operation, sources, duration } = message as BlockMessage
    const what = sources.map((source) => ('name' in source ? named(source) : source.constructor.name)).join(', ')
    this.#note(`${operation} of ${what} blocked this thread for`, duration, 'ms')
  }

  /**
   * Adds to an existing line if the same happens again, as a full queue may drop a million items a
   * second.
   */
  #note(text: string, amount: number, unit: string): void {
    const same = this.#events.find((event) => event.text === text)
    if (same !== undefined) {
      same.amount += amount
      same.time = new Date()
      return
    }
    this.#events.push({ time: new Date(), text, amount, unit })
    if (this.#events.length > EVENTS) this.#events.shift()
  }

  readonly #draw = (): void => {
    const { stdout } = process
    const columns = this.#screen ? stdout.columns : 120
    const lines = table(this.#rows, { columns, colours: this.#screen !== undefined && stdout.hasColors() })
    const events = this.#events.map(({ time, text, amount, unit }) =>
      fit(`${time.toTimeString().slice(0, 8)} ${text}${unit && ` ${short(amount)} ${unit}`}`, columns),
    )
    if (this.#screen) {
      this.#screen.draw([...lines, '', ...events])
    } else {
      // Prints each event once. On a terminal an event stays until others displace it.
      console.log([...lines.slice(1), ...events].join('\n'))
      this.#events.length = 0
    }
  }
}

function named({ name }: { name: string }): string {
  return name || 'a queue without a name'
}
