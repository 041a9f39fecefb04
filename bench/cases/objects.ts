/** Objects, strings and buffers of several sizes from worker to worker. */
import type { Case, Contender } from '../harness/case.js'
import { multithreadingPassing } from '../peers/multithreading.js'
import { passing } from '../peers/passing.js'
import { type Payload, STRING_LENGTH } from '../peers/payload.js'
import { threadStream } from '../peers/thread-stream.js'
import type { Setup } from '../peers/way.js'
import { wayOf } from '../peers/ways.js'

const KIB = 1024
/** The limits of a queue's size, in bytes and in items. */
const MOST_BYTES = 1024 * KIB
const MOST_ITEMS = 1024

function contenders(payload: Payload, more: readonly Contender[] = []): Contender[] {
  const capacity = payload.kind === 'bytes' ? Math.min(MOST_ITEMS, MOST_BYTES / payload.bytes) : MOST_ITEMS
  const setup: Setup = { producers: 1, consumers: 1, capacity, payload }
  const ids =
    payload.kind === 'bytes'
      ? ['threadsafe', 'threadsafe-into', 'threadsafe-any', 'postMessage', 'postMessage-transfer', 'sync-message-port']
      : ['threadsafe', 'postMessage', 'sync-message-port']
  const ringbuf = passing(wayOf('ringbuf'), setup)
  return [...ids.map((id) => passing(wayOf(id), setup)), multithreadingPassing(setup), ringbuf, ...more]
}

const common = { topology: 'objects', kind: 'rate', unit: 'ns/item' } as const

function size(bytes: number): string {
  return bytes < KIB ? `${bytes} bytes` : `${bytes / KIB} KiB`
}

function buffers(bytes: number, goals: Case['goals'] = []): Case {
  return {
    id: `buffer-${bytes}`,
    title: `1 producer, 1 consumer: a buffer of ${size(bytes)}`,
    ...common,
    series: 'message size',
    parameter: { name: 'bytes', value: bytes },
    contenders: contenders({ kind: 'bytes', bytes }),
    goals,
  }
}

function fasterThanPostMessage(what: string): Case['goals'] {
  return [{ text: `${what}: >= 1.5 x faster than postMessage without transfer`, against: 'postMessage', atMost: 1 / 1.5 }]
}

export const objects: readonly Case[] = [
  {
    id: 'object-small',
    title: '1 producer, 1 consumer: a small object {id, name, x, y, tags[3]}',
    ...common,
    everywhere: true,
    contenders: contenders({ kind: 'object' }),
    goals: [
      { text: 'small object: >= 3.3 x faster than postMessage', against: 'postMessage', atMost: 1 / 3.3 },
      { text: "small object: >= 2 x faster than multithreading's channel", against: 'multithreading', atMost: 1 / 2 },
    ],
  },
  {
    id: 'string-200',
    title: `1 producer, 1 consumer: a string of ${STRING_LENGTH} characters`,
    ...common,
    contenders: contenders({ kind: 'string' }, [threadStream({ kind: 'string' })]),
    goals: fasterThanPostMessage('200-character string'),
  },
  buffers(64),
  buffers(KIB, fasterThanPostMessage('1 KiB buffer')),
  buffers(16 * KIB),
  buffers(64 * KIB, [
    {
      text: "64 KiB in 'bytes', with into: >= 1.5 x faster than postMessage",
      of: 'threadsafe-into',
      against: 'postMessage',
      atMost: 1 / 1.5,
    },
    { text: "64 KiB in 'any': >= 1.2 x faster than postMessage", of: 'threadsafe-any', against: 'postMessage', atMost: 1 / 1.2 },
  ]),
]
