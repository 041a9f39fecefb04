/** What native code needs to use queues and events: the directory of its header, and the values that it opens. */
import { join } from 'node:path'
import { packageRoot } from './addon.js'
import { type ElementType, typeCode } from './element-type.js'
import { needDoorbell } from './loop.js'
import { native } from './native.js'
import { isRecordType } from './record.js'

/**
 * The directory of `threadsafe.h`, the C header for addons that produce and consume in native code; see docs/native.md.
 *
 * @example
 * "include_dirs": ["<!(node --input-type=module -e \"import { includeDir } from 'threadsafe'; console.log(includeDir)\")"]
 */
export const includeDir = join(packageRoot, 'native/include')

declare const opens: unique symbol

/** For `threadsafe_queue_open()` or `threadsafe_event_open()` of `threadsafe.h`, in this thread. JavaScript can do nothing with it. */
export interface NativeHandle<Kind extends 'queue' | 'event'> {
  readonly [opens]: Kind
}

function nativeHandle<Kind extends 'queue' | 'event'>(view: Uint8Array, type?: ElementType): NativeHandle<Kind> {
  // By it other threads say that they have closed what they opened.
  needDoorbell()
  const fields = isRecordType(type)
    ? type.layout.map(({ name, type, offset, bytes }) => ({ name, type: typeCode(type), offset, bytes }))
    : undefined
  const object = native.nativeObject(view, fields)
  if (!object) throw new Error('threadsafe: Node-API refused a value for native code')
  return object as NativeHandle<Kind>
}

export function nativeQueue(view: Uint8Array, type: ElementType): NativeHandle<'queue'> {
  return nativeHandle(view, type)
}

export function nativeEvent(view: Uint8Array): NativeHandle<'event'> {
  return nativeHandle(view)
}
