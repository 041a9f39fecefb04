/**
 * Wrong calls of queues and events. Each fails with an error that says what was wrong, before
 * anything is changed.
 */
import { strict as assert } from 'node:assert'
import { type QueueHandle, type QueueOptions, record, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { thrown } from '../support.js'
import { type Code, type Objects, objects, options, RANGE, type Row, testRejects, testThrows, TYPE, VALUE, wrong } from './wrong-calls.js'

const wrongOptions: [unknown, string][] = [
  [5, '5'],
  ['text', "'text'"],
  [null, 'null'],
  [true, 'true'],
  [() => 1, 'function'],
]
const wrongTimeouts: [unknown, Code, string][] = [
  ['5', TYPE, "'5'"],
  [null, TYPE, 'null'],
  [5n, TYPE, '5n'],
  [true, TYPE, 'true'],
  [-1, RANGE, '-1'],
  [-0.001, RANGE, '-0.001'],
  [NaN, RANGE, 'NaN'],
  [-Infinity, RANGE, '-Infinity'],
]
const wrongSignals: [unknown, string][] = [
  [null, 'null'],
  [{}, '{}'],
  [{ aborted: true }, 'aborted'],
  ['SIGTERM', "'SIGTERM'"],
  [new AbortController(), 'AbortController'],
  [new EventTarget(), 'EventTarget'],
]

const SYNC_CALLS: [string, (o: Objects, options: never) => unknown][] = [
  ['putSync(1, ', (o, value) => o.int32.putSync(1, value)],
  ['getSync(', (o, value) => o.int32.getSync(value)],
  ['event.waitSync(', (o, value) => o.event.waitSync(value)],
]
const ASYNC_CALLS: [string, (o: Objects, options: never) => Promise<unknown>][] = [
  ['put(1, ', (o, value) => o.int32.put(1, value)],
  ['get(', (o, value) => o.int32.get(value)],
  ['event.wait(', (o, value) => o.event.wait(value)],
]

function rowsOfOptions(calls: [string, (o: Objects, options: never) => unknown][]): Row[] {
  return calls.flatMap(([call, run]) => [
    ...wrongOptions.map(([value, was]): Row => [`${call}${was})`, (o) => run(o, options(value)), TYPE, 'options', 'object', was]),
    ...wrongTimeouts.map(([timeout, code, was]): Row => [
      `${call}{ timeout: ${was} })`,
      (o) => run(o, options({ timeout })),
      code,
      'options.timeout',
      code === TYPE ? 'number' : '>= 0',
      was,
    ]),
  ])
}

const wrongBlocks: Row[] = SYNC_CALLS.slice(0, 2).flatMap(([call, run]) =>
  [1, 'yes', null].map((block): Row => {
    const was = typeof block === 'string' ? `'${block}'` : String(block)
    return [`${call}{ block: ${was} })`, (o) => run(o, options({ block })), TYPE, 'options.block', 'boolean', was]
  }),
)

const notNumbers: [unknown, string][] = [
  ['1', "'1'"],
  [1n, '1n'],
  [null, 'null'],
  [undefined, 'undefined'],
  [true, 'true'],
  [{ valueOf: () => 1 }, 'valueOf'],
  [Object(1), '[Number: 1]'],
  [Symbol('s'), 'Symbol(s)'],
]

type QueueName = Exclude<keyof Objects, 'event'>
const WRONG_ITEMS: [QueueName, unknown, string, string, string][] = [
  ...notNumbers.map(([item, was]): [QueueName, unknown, string, string, string] => ['int32', item, 'item', 'number', was]),
  ...notNumbers.slice(0, 3).map(([item, was]): [QueueName, unknown, string, string, string] => ['float64', item, 'item', 'number', was]),
  ['bigint64', 1, 'item', 'bigint', '1'],
  ['bigint64', '1', 'item', 'bigint', "'1'"],
  ['bigint64', undefined, 'item', 'bigint', 'undefined'],
  ['boolean', 1, 'item', 'boolean', '1'],
  ['boolean', 'true', 'item', 'boolean', "'true'"],
  ['boolean', null, 'item', 'boolean', 'null'],
  ['string', 1, 'item', 'string', '1'],
  ['string', Object('text'), 'item', 'string', "[String: 'text']"],
  ['string', undefined, 'item', 'string', 'undefined'],
  ['bytes', 'text', 'item', 'ArrayBuffer', "'text'"],
  ['bytes', [1, 2], 'item', 'ArrayBuffer', '[ 1, 2 ]'],
  ['bytes', null, 'item', 'ArrayBuffer', 'null'],
  ['bytes', new SharedArrayBuffer(1), 'item', 'ArrayBuffer', 'SharedArrayBuffer'],
  ['bytes', { byteLength: 1, buffer: new ArrayBuffer(1) }, 'item', 'ArrayBuffer', 'byteLength'],
  ['record', null, 'item', 'object', 'null'],
  ['record', 5, 'item', 'object', '5'],
  ['record', 'text', 'item', 'object', "'text'"],
  ['record', {}, 'item.x', 'number', 'undefined'],
  ['record', { x: 1, on: true }, 'item.t', 'bigint', 'undefined'],
  ['record', { x: 1, t: 1, on: true }, 'item.t', 'bigint', '1'],
  ['record', { x: '1', t: 1n, on: true }, 'item.x', 'number', "'1'"],
  ['arrays', { samples: 1, id: new Uint8Array(4) }, 'item.samples', '2 elements of float32', '1'],
  ['arrays', { samples: [1, '2'], id: new Uint8Array(4) }, 'item.samples[1]', 'number', "'2'"],
  ['arrays', { samples: [1, 2], id: 'four' }, 'item.id', 'ArrayBuffer', "'four'"],
  ['record', { x: 1, t: 1n, on: 1 }, 'item.on', 'boolean', '1'],
]

const wrongItems = (call: string, run: (queue: ThreadSafeQueue, item: unknown) => unknown): Row[] =>
  WRONG_ITEMS.map(([queue, item, name, expected, was]) => [
    `${call} of ${was} to a queue of ${queue}`,
    (o) => run(wrong<ThreadSafeQueue>(o[queue]), item),
    TYPE,
    name,
    expected,
    was,
  ])

const capacity = (value: unknown, code: Code, was: string): Row => [
  `new ThreadSafeQueue(${was})`,
  () => new ThreadSafeQueue(wrong<number>(value)),
  code,
  'capacity',
  'whole number',
  was,
]
const option = (name: 'type' | 'itemBytes' | 'overflow' | 'name', value: unknown, code: Code, expected: string, was: string): Row => [
  `new ThreadSafeQueue(1, { ${name}: ${was} })`,
  () => new ThreadSafeQueue(1, options<QueueOptions<'any'>>({ [name]: value })),
  code,
  `options.${name}`,
  expected,
  was,
]

const constructors: Row[] = [
  capacity(undefined, TYPE, 'undefined'),
  capacity(null, TYPE, 'null'),
  capacity('5', TYPE, "'5'"),
  capacity(5n, TYPE, '5n'),
  capacity({}, TYPE, '{}'),
  capacity(0, RANGE, '0'),
  capacity(-1, RANGE, '-1'),
  capacity(1.5, RANGE, '1.5'),
  capacity(NaN, RANGE, 'NaN'),
  capacity(Infinity, RANGE, 'Infinity'),
  ['new ThreadSafeQueue(2 ** 32)', () => new ThreadSafeQueue(2 ** 32), RANGE, 'capacity', '4 GiB', '4294967296'],
  ['new ThreadSafeQueue(2 ** 53)', () => new ThreadSafeQueue(2 ** 53), RANGE, 'capacity', '4 GiB', '9007199254740992'],
  [
    // 2 ** 26 numbers would fit, but items of this size do not.
    'new ThreadSafeQueue(2 ** 26, { itemBytes: 1000 })',
    () => new ThreadSafeQueue(2 ** 26, { itemBytes: 1000 }),
    RANGE,
    'capacity',
    '4 GiB',
    '67108864',
  ],
  ...wrongOptions.map(([value, was]): Row => [
    `new ThreadSafeQueue(1, ${was})`,
    () => new ThreadSafeQueue(1, options<QueueOptions<'any'>>(value)),
    TYPE,
    'options',
    'object',
    was,
  ]),
  option('type', 'number', VALUE, 'float64', "'number'"),
  option('type', 'Float64', VALUE, 'float64', "'Float64'"),
  option('type', '', VALUE, 'float64', "''"),
  option('type', 'record', VALUE, 'record()', "'record'"),
  option('type', 'toString', VALUE, 'float64', "'toString'"),
  option('type', '__proto__', VALUE, 'float64', "'__proto__'"),
  option('type', 5, VALUE, 'float64', '5'),
  option('type', null, VALUE, 'float64', 'null'),
  option('type', ['int8'], VALUE, 'float64', "[ 'int8' ]"),
  option('type', { x: 'float64' }, VALUE, 'record()', 'float64'),
  option('type', { record: { x: 'float64' } }, VALUE, 'record()', 'record'),
  option('type', Float64Array, VALUE, 'float64', 'Float64Array'),
  option('itemBytes', '64', TYPE, 'whole number', "'64'"),
  option('itemBytes', 64n, TYPE, 'whole number', '64n'),
  option('itemBytes', null, TYPE, 'whole number', 'null'),
  option('itemBytes', 0, RANGE, 'whole number', '0'),
  option('itemBytes', -1, RANGE, 'whole number', '-1'),
  option('itemBytes', 0.5, RANGE, 'whole number', '0.5'),
  option('itemBytes', NaN, RANGE, 'whole number', 'NaN'),
  option('itemBytes', Infinity, RANGE, 'whole number', 'Infinity'),
  option('itemBytes', 2 ** 40, RANGE, '4 GiB', '1099511627776'),
  option('overflow', 'drop', VALUE, 'drop-oldest', "'drop'"),
  option('overflow', 'dropOldest', VALUE, 'drop-oldest', "'dropOldest'"),
  option('overflow', 'constructor', VALUE, 'drop-oldest', "'constructor'"),
  option('overflow', true, VALUE, 'drop-oldest', 'true'),
  option('overflow', 1, VALUE, 'drop-oldest', '1'),
  option('overflow', null, VALUE, 'drop-oldest', 'null'),
  option('name', 5, TYPE, 'string', '5'),
  option('name', null, TYPE, 'string', 'null'),
  option('name', new String('jobs'), TYPE, 'string', '[String'),
  option('name', 'n'.repeat(65), RANGE, 'at most 64', 'nnn'),
  option('name', '😀'.repeat(33), RANGE, 'at most 64', '😀'),
]

const recordOf = (fields: unknown, code: Code, name: string, expected: string, was: string): Row => [
  `record(${was})`,
  () => record(wrong<{ x: 'int8' }>(fields)),
  code,
  name,
  expected,
  was,
]

const records: Row[] = [
  recordOf({}, VALUE, 'fields', 'at least one field', '{}'),
  recordOf(undefined, TYPE, 'fields', 'object', 'undefined'),
  recordOf(null, TYPE, 'fields', 'object', 'null'),
  recordOf('float64', TYPE, 'fields', 'object', "'float64'"),
  recordOf(['float64'], TYPE, 'fields', 'object', "[ 'float64' ]"),
  recordOf({ x: 'float64', y: 'double' }, VALUE, 'fields.y', 'float64', "'double'"),
  recordOf({ x: 'string' }, VALUE, 'fields.x', 'float64', "'string'"),
  ...['float32[0]', 'boolean[3]', 'bytes', 'float32[03]', 'float32[3', 'bytes[99999999999]', 'toString[3]'].map((type) =>
    recordOf({ x: type }, VALUE, 'fields.x', 'float32[128]', `'${type}'`),
  ),
  recordOf({ x: 'any' }, VALUE, 'fields.x', 'float64', "'any'"),
  recordOf({ x: undefined }, VALUE, 'fields.x', 'float64', 'undefined'),
  recordOf({ x: null }, VALUE, 'fields.x', 'float64', 'null'),
  recordOf({ x: 8 }, VALUE, 'fields.x', 'float64', '8'),
  recordOf({ x: 'valueOf' }, VALUE, 'fields.x', 'float64', "'valueOf'"),
  recordOf({ x: ['int8'] }, VALUE, 'fields.x', 'int8', "[ 'int8' ]"),
]

const handle = objects.int32.handle
const eventHandle = objects.event.handle
const queueFrom = (value: unknown, was: string, expected = 'the handle of a ThreadSafeQueue'): Row => [
  `ThreadSafeQueue.from(${was})`,
  () => ThreadSafeQueue.from(wrong<QueueHandle>(value)),
  TYPE,
  'handle',
  expected,
  was,
]
const eventFrom = (value: unknown, was: string, expected = 'the handle of a ThreadSafeEvent'): Row => [
  `ThreadSafeEvent.from(${was})`,
  () => ThreadSafeEvent.from(wrong(value)),
  TYPE,
  'handle',
  expected,
  was,
]

const handles: Row[] = [
  queueFrom(undefined, 'undefined'),
  queueFrom(null, 'null'),
  queueFrom(5, '5'),
  queueFrom('queue', "'queue'"),
  queueFrom({}, '{}'),
  queueFrom(eventHandle, "threadsafe: 'event'"),
  queueFrom(objects.event, 'ThreadSafeEvent'),
  queueFrom(objects.int32, 'ThreadSafeQueue', 'pass its .handle'),
  queueFrom(new WebAssembly.Memory({ initial: 1 }), 'Memory'),
  queueFrom({ ...handle, memory: undefined }, 'undefined'),
  queueFrom({ ...handle, memory: new WebAssembly.Memory({ initial: 1 }) }, 'Memory'),
  queueFrom({ ...handle, memory: { buffer: new SharedArrayBuffer(65536) } }, 'memory'),
  eventFrom(undefined, 'undefined'),
  eventFrom({}, '{}'),
  eventFrom(handle, "threadsafe: 'queue'"),
  eventFrom(objects.int32, 'ThreadSafeQueue'),
  eventFrom(objects.event, 'ThreadSafeEvent', 'pass its .handle'),
]

const closes: Row[] = [
  ...wrongOptions.map(([value, was]): Row => [`close(${was})`, (o) => o.int32.close(options(value)), TYPE, 'options', 'object', was]),
  ...[1, 'yes', null].map((discard): Row => {
    const was = typeof discard === 'string' ? `'${discard}'` : String(discard)
    return [`close({ discard: ${was} })`, (o) => o.int32.close(options({ discard })), TYPE, 'options.discard', 'boolean', was]
  }),
]

describe('wrong arguments', () => {
  describe('of a constructor', () => testThrows(constructors))
  describe('of record()', () => testThrows(records))
  describe('of from()', () => testThrows(handles))
  describe('of synchronous calls', () => testThrows([...rowsOfOptions(SYNC_CALLS), ...wrongBlocks]))
  describe('of asynchronous calls', () => {
    testRejects(rowsOfOptions(ASYNC_CALLS))
    testRejects(
      ASYNC_CALLS.flatMap(([call, run]) =>
        wrongSignals.map(([signal, was]): Row => [
          `${call}{ signal: ${was} })`,
          (o) => run(o, options({ signal })),
          TYPE,
          'options.signal',
          'AbortSignal',
          was,
        ]),
      ),
    )
  })
  describe('items', () => {
    testThrows(wrongItems('putSync', (queue, item) => queue.putSync(item)))
    testThrows(wrongItems('putSync with a timeout', (queue, item) => queue.putSync(item, { timeout: 10 })))
    testThrows(wrongItems('tryPut', (queue, item) => queue.tryPut(item)))
    testRejects(wrongItems('put', (queue, item) => queue.put(item)))
  })
  describe('of close()', () => testThrows(closes))

  it('a handle of another version is incompatible, whatever else it holds', () => {
    for (const version of [(wrong<{ version: number }>(handle).version ?? 0) + 1, 0, undefined, '1']) {
      for (const from of [
        () => ThreadSafeQueue.from({ ...handle, version } as typeof handle),
        () => ThreadSafeEvent.from({ ...eventHandle, version } as typeof eventHandle),
      ]) {
        const error = thrown(from)
        assert.ok(error instanceof Error)
        assert.equal((error as Error & { code?: unknown }).code, 'ERR_INCOMPATIBLE_HANDLE')
        assert.ok(error.message.includes(String(version)), error.message)
      }
    }
  })

  it('the name in a forged handle is checked like that of a new queue', () => {
    for (const [name, code] of [
      [5, TYPE],
      [null, TYPE],
      [{ toString: () => 'jobs' }, TYPE],
      ['n'.repeat(65), RANGE],
    ] as const) {
      const error = thrown(() => ThreadSafeQueue.from(wrong<QueueHandle>({ ...handle, name })))
      assert.equal((error as { code?: unknown }).code, code)
      assert.match((error as Error).message, /"handle\.name"/)
    }
  })

  it('a handle whose memory holds something else is incompatible', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    for (const forged of [
      { ...handle, memory },
      { ...handle, memory: wrong<{ memory: unknown }>(eventHandle).memory },
    ]) {
      const error = thrown(() => ThreadSafeQueue.from(forged)) as Error & { code?: unknown }
      assert.equal(error.code, 'ERR_INCOMPATIBLE_HANDLE')
    }
    const error = thrown(() => ThreadSafeEvent.from({ ...eventHandle, memory: wrong<{ memory: unknown }>(handle).memory } as never))
    assert.equal((error as Error & { code?: unknown }).code, 'ERR_INCOMPATIBLE_HANDLE')
  })
})
