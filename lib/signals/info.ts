import { record, type RecordOf } from '../codec/record-type.js'

/**
 * The type of the records that a signal handler puts into a queue: `new ThreadSafeQueue(100, {
 * type: signalInfo })`. Its fields are those of the struct in native/platform/signals.h.
 */
export const signalInfo = record({
  /** The signal's number. */
  signo: 'int32',
  /** `si_code`: how it was sent. */
  code: 'int32',
  /** The id of the process that sent it; 0 where the kernel does not say. */
  pid: 'int32',
  /** The user id of that process; 0 where the kernel does not say. */
  uid: 'uint32',
  /**
   * Of SIGCHLD, what became of the child: its exit code, or the number of the signal that has ended,
   * stopped or continued it; `code` says which. Otherwise 0.
   */
  status: 'int32',
  /**
   * The value sent with it by `sendSignal()` or sigqueue(3). For a timer with a heartbeat, the
   * heartbeat's age in microseconds.
   */
  value: 'int32',
  /** Nanoseconds of the clock of `process.hrtime.bigint()`, taken in the handler. */
  timestamp: 'biguint64',
  /** For a timer's signal, the number of further expirations that the kernel merged into it. */
  overrun: 'int32',
})

/** An item that a signal source puts into a queue of the type `signalInfo`. */
export type SignalInfo = RecordOf<(typeof signalInfo)['fields']>
