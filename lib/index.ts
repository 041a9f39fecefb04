export type { BlockMessage, QueueCloseMessage, QueueDropMessage } from './diagnostics.js'
export { PoolEmptyError, QueueClosedError, QueueEmptyError, QueueFullError, ThreadSafeError, TimeoutError } from './errors.js'
export type { BatchOf, ElementType, ItemOf, PutItemOf } from './codec/element-type.js'
export { type EventHandle, ThreadSafeEvent } from './event.js'
export { type Held, Lock, type LockHandle, type LockRequestOptions } from './shared/lock.js'
export { BufferPool, type BufferPoolConstructor, type BufferPoolHandle, type Lease, type PoolStats } from './shared/pool-types.js'
export type { QueueStats } from './addon/native.js'
export { includeDir, type NativeHandle } from './addon/native-code.js'
export type { ForEachOptions, SyncWaitOptions, WaitOptions } from './wait/options.js'
export type { QueueWritableOptions } from './queue/writable.js'
export type { IntoOf, IntoOption, Overflow, QueueHandle, QueueOptions } from './queue/types.js'
export { type FieldType, type FieldTypes, type PutRecordOf, record, type RecordOf, type RecordType } from './codec/record-type.js'
export type { ArrayOf, ArrayType, PutArrayOf } from './codec/array-type.js'
export type { NumericType, ScalarType } from './codec/scalar.js'
export { Context, type ContextOptions, type JobArguments, type JobName, type JobResult } from './shared/context.js'
export { select, type Selected, type SelectOptions, type SelectSource, selectSync, type SelectSyncOptions } from './select.js'
export { type SignalInfo, signalInfo } from './signals/info.js'
export type { SignalName } from './signals/number.js'
export {
  attachSignal,
  sendSignal,
  type SignalOptions,
  type SignalSource,
  type SignalStats,
  type SignalTarget,
  SignalTimer,
  type SignalTimerOptions,
} from './signals/source.js'
export { ThreadSafeQueue, type ThreadSafeQueueConstructor, type TypedQueueOptions } from './queue/typed-queue.js'
export type { MessageHandle, MessageOptions } from './shared/message.js'
export type { RecordHandle, RecordStats } from './shared/record.js'
export { Message, type MessageConstructor, SharedRecord, type SharedRecordConstructor, type TypedMessageOptions } from './shared/typed.js'
