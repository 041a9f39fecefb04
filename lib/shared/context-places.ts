/** The places of jobs that are not done: first in the backlog, then in flight. */
import { native } from '../addon/native.js'
import type { Lane } from '../lane/lane.js'
import type { JobPlace } from './context-job.js'
import type { Job } from './context-protocol.js'

const { status: STATUS } = native

/** Jobs for which there was no room yet, in order. */
export class Backlog {
  #first: JobPlace | undefined
  #last: JobPlace | undefined

  get first(): JobPlace | undefined {
    return this.#first
  }

  add(place: JobPlace): void {
    if (this.#first && this.#last) this.#last.behind = place
    else this.#first = place
    this.#last = place
  }

  /** Removes jobs from the front, as long as `put` puts them. */
  putBy(put: (place: JobPlace) => boolean): void {
    for (let first = this.#first; first; first = this.#first) {
      if (!put(first)) return
      // No function is entered from the end of the put on, so a script is not stopped in between.
      first.held = undefined
      this.#first = first.behind
    }
  }

  clear(): void {
    this.#first = this.#last = undefined
  }
}

/** Jobs between their put into the queue and their answer. */
export class Flight {
  /** A word for each job that can be in flight, at its number modulo the length. */
  readonly cancelled: Int32Array
  /** The jobs themselves, at the same places. */
  #slots: (JobPlace | undefined)[] = []
  #count = 0

  /** At most `size` jobs are in flight. */
  constructor(size: number) {
    this.cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * size))
  }

  get count(): number {
    return this.#count
  }

  /** Puts the job into the queue. Returns false if there is no room. */
  put(toWorker: Lane<unknown, unknown>, place: JobPlace, item: Job | undefined): boolean {
    const slot = place.number % this.cancelled.length
    if (this.#slots[slot]) return false
    // The put is a release, and the worker's get of this job an acquire.
    Atomics.store(this.cancelled, slot, 0)
    const status = item ? toWorker.tryPut(item) : toWorker.tryHeld(place.held)
    if (status !== STATUS.ok) return false
    // No function is entered from the end of the put on, so a script is not stopped in between.
    this.#slots[slot] = place
    place.slot = slot
    this.#count++
    return true
  }

  /** Returns the job of that number, if it is in flight. */
  find(number: number): JobPlace | undefined {
    const place = this.#slots[number % this.cancelled.length]
    return place?.number === number ? place : undefined
  }

  /** Removes the job, whose answer has come or will not. */
  land(place: JobPlace): void {
    this.#slots[place.slot] = undefined
    place.slot = -1
    this.#count--
  }

  /** Returns the jobs in the order of their numbers. */
  inOrder(): JobPlace[] {
    const places = this.#slots.filter((place) => place !== undefined)
    return places.sort((a, b) => a.number - b.number)
  }

  clear(): void {
    this.#slots = []
    this.#count = 0
  }
}
