import { record, type RecordOf } from '../codec/record-type.js'

/**
 * What a signal handler puts into a queue: the type of `new ThreadSafeQueue(100, { type: signalInfo })`. The same fields as the
 * struct in native/platform/signals.h.
 */
export const signalInfo = record({
  /** The signal's number. */
  signo: 'int32',
  /** `si_code`: how it was sent. */
  code: 'int32',
  /** Who sent it; 0 where the kernel does not tell. */
  pid: 'int32',
  /** Whose process that is; 0 where the kernel does not tell. */
  uid: 'uint32',
  /** What was sent with it by `sendSignal()` or sigqueue(3). Of a timer with a heartbeat: how old that is, in microseconds. */
  value: 'int32',
  /** Nanoseconds of CLOCK_MONOTONIC, as `process.hrtime.bigint()`, taken in the handler. */
  timestamp: 'biguint64',
  /** Of a timer's signal: how many expirations the kernel merged into it, besides its own. */
  overrun: 'int32',
})

/** What a source of signals puts into a queue of the type `signalInfo`. */
export type SignalInfo = RecordOf<(typeof signalInfo)['fields']>
