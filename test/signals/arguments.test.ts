/**
 * Wrong calls of attachSignal, sendSignal and SignalTimer. Each fails with an error that says what
 * was wrong, before anything is changed.
 */
import { attachSignal, sendSignal, SignalTimer, type ThreadSafeEvent } from '../../lib/index.js'
import { type Code, objects, options, RANGE, type Row, testThrows, TYPE, VALUE, wrong } from '../queue/wrong-calls.js'

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
  target(objects.event.handle, 'ThreadSafeQueue', 'event'),
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
  // Zero and negative ids name process groups, to all of whose members kill(2) would send.
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

describe('wrong arguments', () => {
  if (process.platform !== 'win32') describe('of attachSignal() and sendSignal()', () => testThrows(signals))
  if (process.platform === 'linux') describe('of SignalTimer', () => testThrows(timers))
})
