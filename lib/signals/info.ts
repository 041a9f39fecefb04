import { record, type RecordOf } from '../codec/record-type.js'

/**
 * The record that a signal handler puts into a queue, as the type of `new ThreadSafeQueue(100, {
 * type: signalInfo })`. The same fields as the struct in native/platform/signals.h.
 */
export const signalInfo = record({
  /** The signal's number. */
  signo: 'int32',
  /** `si_code`: how it was sent. */
  code: 'int32',
  /** The process that sent it; 0 where the kernel does not say. */
  pid: 'int32',
  /** Whose process that is; 0 where the kernel does not tell. */
  uid: 'uint32',
  /**
   * The value sent with it by `sendSignal()` or sigqueue(3). For a timer with a heartbeat, the
   * heartbeat's age in microseconds.
   */
  value: 'int32',
  /** Nanoseconds of CLOCK_MONOTONIC, as `process.hrtime.bigint()`, taken in the handler. */
  timestamp: 'biguint64',
  /**
   * For a timer's signal, the number of expirations that the kernel merged into it, besides its
   * own.
   */
  overrun: 'int32',
})

/** An item that a signal source puts into a queue of the type `signalInfo`. */
export type SignalInfo = RecordOf<(typeof signalInfo)['fields']>
