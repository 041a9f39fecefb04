/** Errors of the system, and of systems without signals. */
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { withCode } from '../errors.js'

export function systemError(call: string, errno: number): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${call} ${code}`), { code, errno: -errno, syscall: call })
}

export function requirePosix(what: string): void {
  if (process.platform !== 'win32') return
  throw withCode(new Error(`${what} is not available on Windows, which has no POSIX signals`), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
}
