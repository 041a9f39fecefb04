import { native } from '../addon/native.js'
import { invalidType, outOfRange, withCode } from '../errors.js'
import { type SignalName, signalNumber } from './number.js'
import { requirePosix, systemError } from './posix.js'

/**
 * Sends a signal to a process, with a value for its handler, by sigqueue(3). Throws the system's
 * error, such as `ESRCH`, or `EAGAIN` when too many real-time signals are queued. A value needs
 * real-time signals, which macOS lacks: there it throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 *
 * @example
 * sendSignal(process.pid, 'SIGRTMIN+3', 42)
 */
export function sendSignal(pid: number, signal: SignalName | number, value?: number): void {
  requirePosix('sendSignal')
  if (typeof pid !== 'number') throw invalidType('pid', 'a number', pid)
  if (!Number.isInteger(pid) || pid < 1 || pid > 2 ** 31 - 1) throw outOfRange('pid', 'a whole number from 1 up to 2147483647', pid)
  const signo = signalNumber('signal', signal)
  if (value !== undefined) {
    if (typeof value !== 'number') throw invalidType('value', 'a number', value)
    if (!Number.isInteger(value) || value !== (value | 0)) throw outOfRange('value', 'a 32-bit whole number', value)
    if (native.firstRealtimeSignal === 0) {
      throw withCode(new Error('sendSignal with a value is not available on this system'), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
    }
  }
  const errno = native.sendSignal(pid, signo, value)
  if (errno !== 0) throw systemError('sigqueue', errno)
}
