/** Names and numbers of signals, and which of them can be used. */
import { constants } from 'node:os'
import { invalidType, invalidValue } from '../errors.js'
import { native } from '../addon/native.js'

/** A signal's name: Node's, or that of a real-time signal counted from the first or the last. */
export type SignalName = NodeJS.Signals | 'SIGRTMIN' | 'SIGRTMAX' | `SIGRTMIN+${number}` | `SIGRTMAX-${number}`

const NUMBERS = constants.signals as Readonly<Record<string, number>>
const { firstRealtimeSignal: FIRST, lastRealtimeSignal: LAST } = native
const REALTIME = 'SIGRTMIN'

/** The name of a signal. Real-time signals are SIGRTMIN, SIGRTMIN+1 and so on. */
export function signalName(signo: number): SignalName {
  if (FIRST > 0 && signo >= FIRST) return signo === FIRST ? REALTIME : `${REALTIME}+${signo - FIRST}`
  return Object.keys(NUMBERS).find((name) => NUMBERS[name] === signo) as SignalName
}

function numberOf(signal: unknown): number | undefined {
  if (typeof signal === 'string') {
    const realtime = /^SIGRT(?:MIN(?:\+(\d{1,2}))?|(MAX)(?:-(\d{1,2}))?)$/.exec(signal)
    if (!realtime) return Object.hasOwn(NUMBERS, signal) ? NUMBERS[signal] : undefined
    const [, up = 0, fromLast, down = 0] = realtime
    const signo = fromLast ? LAST - Number(down) : FIRST + Number(up)
    return FIRST > 0 && signo >= FIRST && signo <= LAST ? signo : undefined
  }
  const isRealtime = FIRST > 0 && (signal as number) >= FIRST && (signal as number) <= LAST
  return Number.isInteger(signal) && (isRealtime || Object.values(NUMBERS).includes(signal as number)) ? (signal as number) : undefined
}

/** The number of the signal with this name; undefined if there is none. */
export function namedSignal(name: unknown): number | undefined {
  return typeof name === 'string' ? numberOf(name) : undefined
}

/** The number of a signal given by name or number; throws `TypeError` for anything else. */
export function signalNumber(name: string, signal: unknown): number {
  if (typeof signal !== 'string' && typeof signal !== 'number') throw invalidType(name, "a signal's name or number", signal)
  const signo = numberOf(signal)
  if (signo === undefined) throw invalidValue(name, 'the name or number of a signal of this system', signal)
  return signo
}

/**
 * No process can catch the first two. The others come from faults after which the interrupted code
 * can't go on.
 */
const REFUSED: readonly (string | undefined)[] = ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL']

/** The number of a signal that a handler can be attached to. */
export function catchableSignal(signal: unknown, inspectorSignal: boolean): number {
  const signo = signalNumber('signal', signal)
  const name = signalName(signo)
  if (REFUSED.includes(name))
    throw invalidValue('signal', `a signal that can be caught and returned from (not ${REFUSED.join(', ')})`, signal)
  if (name === 'SIGUSR1' && !inspectorSignal) {
    throw invalidValue(
      'signal',
      'another than SIGUSR1, with which Node starts its inspector; { inspectorSignal: true } takes it all the same',
      signal,
    )
  }
  return signo
}
