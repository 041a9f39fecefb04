/** Wrong calls: each fails with an error that tells what was wrong, before anything is changed; and which fault comes first. */
import { strict as assert } from 'node:assert'
import {
  attachSignal,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  type QueueHandle,
  type QueueOptions,
  record,
  sendSignal,
  SignalTimer,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
} from '../../lib/index.js'
import { rejection, thrown } from '../support.js'

const CLASSES = { ERR_INVALID_ARG_TYPE: TypeError, ERR_INVALID_ARG_VALUE: TypeError, ERR_OUT_OF_RANGE: RangeError }
type Code = keyof typeof CLASSES
const [TYPE, VALUE, RANGE] = ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE'] as const

/** What the compiler would not let through. */
function wrong<T>(value: unknown): T {
  return value as T
}

/** A queue of each kind with room for one more item, and an event. */
function makeObjects() {
  const objects = {
    any: new ThreadSafeQueue(2, { itemBytes: 16 }),
    string: new ThreadSafeQueue<string>(2, { type: 'string' }),
    bytes: new ThreadSafeQueue<Uint8Array>(2, { type: 'bytes' }),
    boolean: new ThreadSafeQueue<boolean>(2, { type: 'boolean' }),
    int32: new ThreadSafeQueue<number>(2, { type: 'int32' }),
    float64: new ThreadSafeQueue<number>(2, { type: 'float64' }),
    bigint64: new ThreadSafeQueue<bigint>(2, { type: 'bigint64' }),
    record: new ThreadSafeQueue<{ x: number; t: bigint; on: boolean }>(2, {
      type: record({ x: 'float64', t: 'biguint64', on: 'boolean' }),
    }),
    arrays: new ThreadSafeQueue<{ samples: Float32Array; id: Uint8Array }>(2, { type: record({ samples: 'float32[2]', id: 'bytes[4]' }) }),
    event: new ThreadSafeEvent(),
  }
  objects.any.putSync('first')
  objects.string.putSync('first')
  objects.bytes.putSync(new Uint8Array([1]))
  objects.boolean.putSync(true)
  objects.int32.putSync(1)
  objects.float64.putSync(1)
  objects.bigint64.putSync(1n)
  objects.record.putSync({ x: 1, t: 1n, on: true })
  objects.arrays.putSync({ samples: new Float32Array(2), id: new Uint8Array(4) })
  return objects
}
type Objects = ReturnType<typeof makeObjects>

const objects = makeObjects()

/** All are as they were made: nothing was put, got, closed or set. */
function assertUnchanged(): void {
  for (const [name, object] of Object.entries(objects)) {
    if (object instanceof ThreadSafeEvent) {
      assert.equal(object.isSet(), false, `${name} was set`)
    } else {
      assert.equal(object.qsize(), 1, `qsize of ${name}`)
      assert.equal(object.closed, false, `${name} was closed`)
    }
  }
}

/** The call in words, the call, the code, and what the message has to tell: which argument, what it should be, what it was. */
type Row = [call: string, run: (o: Objects) => unknown, code: Code, name: string, expected: string, received: string]

function assertError(error: unknown, [, , code, name, expected, received]: Row): void {
  assert.ok(error instanceof CLASSES[code], `${CLASSES[code].name}, not ${String(error)}`)
  assert.equal((error as Error & { code?: unknown }).code, code)
  const { message } = error
  const parts = [`"${name}"`, expected, 'Received', received]
  let at = 0
  for (const part of parts) {
    const found = message.indexOf(part, at)
    assert.notEqual(found, -1, `"${message}" should tell, in this order, ${parts.join(' ... ')}`)
    at = found + part.length
  }
}

const options = <T>(value: unknown) => wrong<T>(value)
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
    // Numbers would fit 2 ** 26 times, these do not.
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

const attach = (signal: unknown, code: Code, expected: string, was: string): Row => [
  `attachSignal(${was}, event)`,
  (o) => attachSignal(wrong<number>(signal), o.event),
  code,
  'signal',
  expected,
  was,
]
const target = (value: unknown, expected: string, was: string): Row => [
  `attachSignal('SIGUSR2', ${was})`,
  () => attachSignal('SIGUSR2', wrong<ThreadSafeEvent>(value)),
  TYPE,
  'target',
  expected,
  was,
]

const signals: Row[] = [
  attach('SIGNOPE', VALUE, 'signal', "'SIGNOPE'"),
  attach('sigusr2', VALUE, 'signal', "'sigusr2'"),
  attach('toString', VALUE, 'signal', "'toString'"),
  attach(0, VALUE, 'signal', '0'),
  attach(-1, VALUE, 'signal', '-1'),
  attach(1000, VALUE, 'signal', '1000'),
  attach(10.5, VALUE, 'signal', '10.5'),
  attach(NaN, VALUE, 'signal', 'NaN'),
  attach('SIGKILL', VALUE, 'caught', "'SIGKILL'"),
  attach(9, VALUE, 'caught', '9'),
  attach('SIGSTOP', VALUE, 'caught', "'SIGSTOP'"),
  attach('SIGSEGV', VALUE, 'caught', "'SIGSEGV'"),
  attach('SIGBUS', VALUE, 'caught', "'SIGBUS'"),
  attach('SIGFPE', VALUE, 'caught', "'SIGFPE'"),
  attach('SIGILL', VALUE, 'caught', "'SIGILL'"),
  attach('SIGUSR1', VALUE, 'inspectorSignal', "'SIGUSR1'"),
  attach(undefined, TYPE, 'name or number', 'undefined'),
  attach({}, TYPE, 'name or number', '{}'),
  attach(12n, TYPE, 'name or number', '12n'),
  target(undefined, 'ThreadSafeQueue', 'undefined'),
  target({}, 'ThreadSafeQueue', '{}'),
  target(eventHandle, 'ThreadSafeQueue', 'event'),
  target(objects.any, 'signalInfo', 'any'),
  target(objects.record, 'signalInfo', 'RecordType'),
  ['attachSignal with options 5', (o) => attachSignal('SIGUSR2', o.event, options(5)), TYPE, 'options', 'object', '5'],
  ['attachSignal with options null', (o) => attachSignal('SIGUSR2', o.event, options(null)), TYPE, 'options', 'object', 'null'],
  ...[1, null].map((inspectorSignal): Row => [
    `attachSignal with inspectorSignal ${inspectorSignal}`,
    (o) => attachSignal('SIGUSR1', o.event, options({ inspectorSignal })),
    TYPE,
    'options.inspectorSignal',
    'boolean',
    String(inspectorSignal),
  ]),
  ["sendSignal('1', 'SIGUSR2')", () => sendSignal(wrong<number>('1'), 'SIGUSR2'), TYPE, 'pid', 'number', "'1'"],
  // Zero and negative ids name groups of processes: kill(2) would send to all of them.
  ["sendSignal(0, 'SIGUSR2')", () => sendSignal(0, 'SIGUSR2'), RANGE, 'pid', 'whole number', '0'],
  ["sendSignal(-1, 'SIGUSR2')", () => sendSignal(-1, 'SIGUSR2'), RANGE, 'pid', 'whole number', '-1'],
  ["sendSignal(1.5, 'SIGUSR2')", () => sendSignal(1.5, 'SIGUSR2'), RANGE, 'pid', 'whole number', '1.5'],
  ["sendSignal(2 ** 32, 'SIGUSR2')", () => sendSignal(2 ** 32, 'SIGUSR2'), RANGE, 'pid', 'whole number', '4294967296'],
  ["sendSignal(pid, 'SIGNOPE')", () => sendSignal(process.pid, wrong<'SIGUSR2'>('SIGNOPE')), VALUE, 'signal', 'signal', "'SIGNOPE'"],
  ['sendSignal(pid, {})', () => sendSignal(process.pid, wrong<number>({})), TYPE, 'signal', 'name or number', '{}'],
  ["sendSignal with value '5'", () => sendSignal(process.pid, 'SIGUSR2', wrong<number>('5')), TYPE, 'value', 'number', "'5'"],
  ['sendSignal with value 2 ** 31', () => sendSignal(process.pid, 'SIGUSR2', 2 ** 31), RANGE, 'value', '32-bit', '2147483648'],
  ['sendSignal with value 0.5', () => sendSignal(process.pid, 'SIGUSR2', 0.5), RANGE, 'value', 'whole number', '0.5'],
]

const interval = (value: unknown, code: Code, expected: string, was: string): Row => [
  `new SignalTimer(${was}, event)`,
  (o) => new SignalTimer(wrong<number>(value), o.event),
  code,
  'intervalMicroseconds',
  expected,
  was,
]

const timers: Row[] = [
  interval('1000', TYPE, 'number', "'1000'"),
  interval(1000n, TYPE, 'number', '1000n'),
  interval(undefined, TYPE, 'number', 'undefined'),
  interval(0, RANGE, '>=', '0'),
  interval(-1, RANGE, '>=', '-1'),
  interval(NaN, RANGE, '>=', 'NaN'),
  interval(Infinity, RANGE, '<=', 'Infinity'),
  ['new SignalTimer(1000, {})', () => new SignalTimer(1000, wrong<ThreadSafeEvent>({})), TYPE, 'target', 'ThreadSafeEvent', '{}'],
  ['new SignalTimer(1000, queue of any)', (o) => new SignalTimer(1000, wrong(o.any)), TYPE, 'target', 'signalInfo', 'any'],
  ['new SignalTimer with options null', (o) => new SignalTimer(1000, o.event, options(null)), TYPE, 'options', 'object', 'null'],
]

function testThrows(rows: Row[]): void {
  for (const row of rows) {
    it(`${row[0]} throws ${row[2]}`, () => {
      assertError(
        thrown(() => row[1](objects)),
        row,
      )
      assertUnchanged()
    })
  }
}

function testRejects(rows: Row[]): void {
  for (const row of rows) {
    it(`${row[0]} rejects with ${row[2]}`, async () => {
      // Called outside of any handler: what it throws instead of rejecting fails the test.
      const promise = row[1](objects) as Promise<unknown>
      assertError(await rejection(promise), row)
      assertUnchanged()
    })
  }
}

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
  if (process.platform !== 'win32') describe('of attachSignal() and sendSignal()', () => testThrows(signals))
  if (process.platform === 'linux') describe('of SignalTimer', () => testThrows(timers))

  it('a handle of another version is incompatible, whatever else is in it', () => {
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

  it('the name in a forged handle is checked as that of a new queue is', () => {
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

describe('the order of checks', () => {
  const reason = new Error('why it was aborted')
  const aborted = AbortSignal.abort(reason)
  const int32 = (n = 1) => new ThreadSafeQueue<number>(n, { type: 'int32' })

  function full(overflow: 'reject' | 'drop-newest' | 'drop-oldest' = 'reject'): ThreadSafeQueue<number, Int32Array> {
    const queue = new ThreadSafeQueue<number>(1, { type: 'int32', overflow })
    queue.putSync(7)
    return queue
  }
  function closed<T, Batch>(queue: ThreadSafeQueue<T, Batch>): ThreadSafeQueue<T, Batch> {
    queue.close()
    return queue
  }
  function fullBytes(): ThreadSafeQueue<Uint8Array> {
    const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes', itemBytes: 4 })
    queue.putSync(new Uint8Array(1))
    return queue
  }
  const long = new Uint8Array(1000)
  const setEvent = (): ThreadSafeEvent => {
    const event = new ThreadSafeEvent()
    event.set()
    return event
  }

  type Expected = string | (abstract new (...args: never[]) => Error) | typeof reason

  function assertIs(error: unknown, expected: Expected): void {
    if (typeof expected === 'string') {
      const { code, name } = error as { code?: unknown; name?: unknown }
      assert.ok(code === expected || name === expected, `${expected}, not ${String(error)}`)
    } else if (typeof expected === 'function') {
      assert.equal((error as Error).constructor, expected, String(error))
    } else {
      assert.equal(error, expected)
    }
  }

  type Case<O> = [what: string, object: () => O, call: (object: O) => unknown, expected: Expected]
  const make = <O>(...row: Case<O>): Case<unknown> => row as Case<unknown>
  const NOT_A_NUMBER = wrong<number>('1')

  const syncCases: Case<unknown>[] = [
    make('options before item: putSync', int32, (q) => q.putSync(NOT_A_NUMBER, { timeout: -1 }), RANGE),
    make(
      'options before closed: putSync',
      () => closed(int32()),
      (q) => q.putSync(1, { timeout: NaN }),
      RANGE,
    ),
    make('options before room: putSync', full, (q) => q.putSync(1, { timeout: -1 }), RANGE),
    make('options before an item to get: getSync', full, (q) => q.getSync({ timeout: -1 }), RANGE),
    make(
      'options before closed: getSync',
      () => closed(int32()),
      (q) => q.getSync(wrong({ block: 1 })),
      TYPE,
    ),
    make('options before empty: getSync', int32, (q) => q.getSync(wrong(5)), TYPE),
    make('a wrong timeout, also where block: false makes it useless', full, (q) => q.getSync({ block: false, timeout: -1 }), RANGE),
    make('options before a set event: waitSync', setEvent, (e) => e.waitSync({ timeout: -1 }), RANGE),
    make(
      'options before closing: close',
      () => closed(int32()),
      (q) => q.close(wrong({ discard: 'yes' })),
      TYPE,
    ),
    make(
      'item before closed: putSync',
      () => closed(int32()),
      (q) => q.putSync(NOT_A_NUMBER),
      TYPE,
    ),
    make(
      'item before closed: tryPut',
      () => closed(int32()),
      (q) => q.tryPut(NOT_A_NUMBER),
      TYPE,
    ),
    make('item before room: putSync', full, (q) => q.putSync(NOT_A_NUMBER), TYPE),
    make('item before room: tryPut', full, (q) => q.tryPut(NOT_A_NUMBER), TYPE),
    make(
      'item before room: tryPut that drops the newest',
      () => full('drop-newest'),
      (q) => q.tryPut(NOT_A_NUMBER),
      TYPE,
    ),
    make(
      'item before room: tryPut that drops the oldest',
      () => full('drop-oldest'),
      (q) => q.tryPut(NOT_A_NUMBER),
      TYPE,
    ),
    make('item before waiting: putSync', full, (q) => q.putSync(NOT_A_NUMBER, { block: true }), TYPE),
    make(
      'too large before closed: putSync',
      () => closed(fullBytes()),
      (q) => q.putSync(long),
      'ERR_ITEM_TOO_LARGE',
    ),
    make(
      'too large before closed: tryPut',
      () => closed(fullBytes()),
      (q) => q.tryPut(long),
      'ERR_ITEM_TOO_LARGE',
    ),
    make('too large before room: putSync', fullBytes, (q) => q.putSync(long, { timeout: 0 }), 'ERR_ITEM_TOO_LARGE'),
    make(
      'not cloneable before closed',
      () => closed(new ThreadSafeQueue(1)),
      (q) => wrong<ThreadSafeQueue>(q).putSync(() => 1),
      'DataCloneError',
    ),
    make(
      'closed before room: putSync',
      () => closed(full()),
      (q) => q.putSync(1),
      QueueClosedError,
    ),
    make(
      'closed before room: putSync with timeout 0',
      () => closed(full()),
      (q) => q.putSync(1, { timeout: 0 }),
      QueueClosedError,
    ),
    make(
      'closed before room: tryPut',
      () => closed(full()),
      (q) => q.tryPut(1),
      QueueClosedError,
    ),
    make(
      'closed before dropping: tryPut',
      () => closed(full('drop-oldest')),
      (q) => q.tryPut(1),
      QueueClosedError,
    ),
    make(
      'closed before dropping: putSync',
      () => closed(full('drop-newest')),
      (q) => q.putSync(1),
      QueueClosedError,
    ),
    make(
      'closed before empty: getSync',
      () => closed(int32()),
      (q) => q.getSync(),
      QueueClosedError,
    ),
    make(
      'closed before empty: getSync with timeout 0',
      () => closed(int32()),
      (q) => q.getSync({ timeout: 0 }),
      QueueClosedError,
    ),
    make(
      'closed before empty: tryGet',
      () => closed(int32()),
      (q) => q.tryGet(),
      QueueClosedError,
    ),
    make('full, at last', full, (q) => q.putSync(1), QueueFullError),
    make('empty, at last', int32, (q) => q.getSync(), QueueEmptyError),
  ]

  const asyncCases: Case<unknown>[] = [
    make('options before signal: put', int32, (q) => q.put(1, { timeout: -1, signal: aborted }), RANGE),
    make('options before signal: get', int32, (q) => q.get({ timeout: -1, signal: aborted }), RANGE),
    make('options before signal: wait', setEvent, (e) => e.wait({ timeout: wrong('1'), signal: aborted }), TYPE),
    make('options before item: put', int32, (q) => q.put(NOT_A_NUMBER, { timeout: -1 }), RANGE),
    make(
      'options before closed: get',
      () => closed(int32()),
      (q) => q.get(wrong(null)),
      TYPE,
    ),
    make('signal before item: put', int32, (q) => q.put(NOT_A_NUMBER, { signal: aborted }), reason),
    make(
      'signal before closed: put',
      () => closed(int32()),
      (q) => q.put(1, { signal: aborted }),
      reason,
    ),
    make(
      'signal before closed: get',
      () => closed(int32()),
      (q) => q.get({ signal: aborted }),
      reason,
    ),
    make('signal before room: put', full, (q) => q.put(1, { signal: aborted, timeout: 0 }), reason),
    make('signal before room that is there: put', int32, (q) => q.put(1, { signal: aborted }), reason),
    make('signal before an item that is there: get', full, (q) => q.get({ signal: aborted }), reason),
    make('signal before an event that is set: wait', setEvent, (e) => e.wait({ signal: aborted }), reason),
    make(
      'signal before timeout 0: wait',
      () => new ThreadSafeEvent(),
      (e) => e.wait({ signal: aborted, timeout: 0 }),
      reason,
    ),
    make(
      'item before closed: put',
      () => closed(int32()),
      (q) => q.put(NOT_A_NUMBER),
      TYPE,
    ),
    make('item before room: put', full, (q) => q.put(NOT_A_NUMBER), TYPE),
    make('item before room: put with timeout 0', full, (q) => q.put(NOT_A_NUMBER, { timeout: 0 }), TYPE),
    make(
      'too large before closed: put',
      () => closed(fullBytes()),
      (q) => q.put(long),
      'ERR_ITEM_TOO_LARGE',
    ),
    make('too large before waiting: put', fullBytes, (q) => q.put(long), 'ERR_ITEM_TOO_LARGE'),
    make(
      'not cloneable before closed: put',
      () => closed(new ThreadSafeQueue(1)),
      (q) => wrong<ThreadSafeQueue>(q).put(() => 1),
      'DataCloneError',
    ),
    make(
      'closed before room: put',
      () => closed(full()),
      (q) => q.put(1),
      QueueClosedError,
    ),
    make(
      'closed before room: put with timeout 0',
      () => closed(full()),
      (q) => q.put(1, { timeout: 0 }),
      QueueClosedError,
    ),
    make(
      'closed before empty: get',
      () => closed(int32()),
      (q) => q.get(),
      QueueClosedError,
    ),
    make(
      'closed before empty: get with timeout 0',
      () => closed(int32()),
      (q) => q.get({ timeout: 0 }),
      QueueClosedError,
    ),
    make('no room in time, at last: put', full, (q) => q.put(1, { timeout: 0 }), TimeoutError),
    make('no item in time, at last: get', int32, (q) => q.get({ timeout: 0 }), TimeoutError),
  ]

  const stateOf = (object: unknown): unknown =>
    object instanceof ThreadSafeQueue ? [object.qsize(), object.closed] : (object as ThreadSafeEvent).isSet()

  for (const [what, makeObject, call, expected] of syncCases) {
    it(what, () => {
      const object = makeObject()
      const before = stateOf(object)
      assertIs(
        thrown(() => call(object)),
        expected,
      )
      assert.deepEqual(stateOf(object), before)
    })
  }
  for (const [what, makeObject, call, expected] of asyncCases) {
    it(what, async () => {
      const object = makeObject()
      const before = stateOf(object)
      assertIs(await rejection(call(object) as Promise<unknown>), expected)
      assert.deepEqual(stateOf(object), before)
    })
  }
})
