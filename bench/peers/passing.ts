/**
 * Contenders that pass items from producers to consumers through one of the ways. Every producer
 * and consumer is a worker.
 */
import type { Contender } from '../harness/case.js'
import { Crew, type Roles } from '../harness/crew.js'
import { type Items, itemsOf, type Payload } from './payload.js'
import type { Setup, Way } from './way.js'
import { wayOf } from './ways.js'

interface Job {
  readonly way: string
  readonly data: unknown
  readonly payload: Payload
  /** The producer's first item, as a multiple of its number of items. */
  readonly begin: number
  readonly producers: number
  readonly consumers: number
}

/** In a round, each producer puts `items`, and each consumer gets its share of all of them. */
export const roles: Roles = {
  producer({ way, data, payload, begin }: Job) {
    const put = wayOf(way).putter(data as never)
    const { make } = itemsOf(payload)
    return (items) => {
      const first = begin * items
      for (let k = 0; k < items; k++) put(make(first + k))
    }
  },

  /** Returns the sum of the items' numbers. */
  consumer({ way, data, payload, producers, consumers }: Job) {
    const { getter, receiver } = wayOf(way)
    const items = itemsOf(payload)
    const inOrder = producers === 1 && consumers === 1
    if (receiver) {
      const receive = receiver(data as never)
      return async (count) => {
        const tally = new Tally(items, inOrder)
        await receive(count, (item) => tally.add(item))
        return tally.sum
      }
    }
    const get = (getter as NonNullable<Way['getter']>)(data as never)
    return (count) => {
      const tally = new Tally(items, inOrder)
      for (let k = 0; k < count; k++) tally.add(get())
      return tally.sum
    }
  },
}

class Tally {
  sum = 0
  readonly #items: Items
  readonly #inOrder: boolean
  #count = 0

  constructor(items: Items, inOrder: boolean) {
    this.#items = items
    this.#inOrder = inOrder
  }

  add(item: unknown): void {
    const number = this.#items.read(item)
    if (this.#inOrder && number !== this.#items.expected(this.#count)) throw new Error(`got ${number} as item ${this.#count}`)
    this.#count++
    this.sum += number
  }
}

export function expectedSum(payload: Payload, count: number): number {
  const { expected } = itemsOf(payload)
  let sum = 0
  for (let k = 0; k < count; k++) sum += expected(k)
  return sum
}

function crewFor(way: Way, setup: Setup): Crew {
  const { producers, consumers, payload } = setup
  const ends = way.open(setup)
  const job = (data: unknown, begin: number): Job => ({ way: way.id, data, payload, begin, producers, consumers })
  const module = import.meta.url
  return new Crew([
    ...ends.consumers.map(({ data, transfer }) => ({ module, role: 'consumer', data: job(data, 0), transfer })),
    ...ends.producers.map(({ data, transfer }, k) => ({ module, role: 'producer', data: job(data, k), transfer })),
  ])
}

export function passing(way: Way, setup: Setup): Contender {
  const { id, name, note, package: packageName, native, everywhere } = way
  const cannot = way.cannot?.(setup)
  const contender = { id, name, note, package: packageName, native, everywhere }
  if (cannot !== undefined) return { ...contender, cannot }
  return {
    ...contender,
    open() {
      const crew = crewFor(way, setup)
      const { producers, consumers, payload } = setup
      return async (items) => {
        const each = Math.ceil(items / producers / consumers)
        const count = each * producers * consumers
        const share = (n: number) => (n < consumers ? each * producers : each * consumers)
        const { nanoseconds, results } = await crew.run(share, share)
        const sum = (results.slice(0, consumers) as number[]).reduce((a, b) => a + b)
        if (sum !== expectedSum(payload, count)) throw new Error(`the items that came out sum up to ${sum}`)
        return nanoseconds / count
      }
    },
  }
}
