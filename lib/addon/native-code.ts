/**
 * What native code needs in order to use queues and events: the directory of the header, and the
 * values that it opens.
 */
import { join } from 'node:path'
import { packageRoot } from '../package-root.js'
import { type NativeField, native, type ObjectKind } from './native.js'

/**
 * The directory of `threadsafe.h`, the C header for addons that produce and consume in native code;
 * see docs/native.md.
 *
 * @example
 * console.log(includeDir) // in binding.gyp: "include_dirs": ["<!(node print-include-dir.mjs)"]
 */
export const includeDir = join(packageRoot, 'native/include')

declare const opens: unique symbol

/**
 * The argument of `threadsafe_queue_open()` or `threadsafe_event_open()` of `threadsafe.h`, in this
 * thread. JavaScript can do nothing else with it.
 */
export interface NativeHandle<Kind extends ObjectKind> {
  readonly [opens]: Kind
}

/**
 * The native handle of the object in that memory. `fields` are those of a queue of records. Native
 * handles need the doorbell: other threads ring it when they have closed what they opened.
 */
export function nativeHandle<Kind extends ObjectKind>(view: Uint8Array, fields?: readonly NativeField[]): NativeHandle<Kind> {
  const object = native.nativeObject(view, fields)
  if (!object) throw new Error('threadsafe: Node-API refused a value for native code')
  return object as NativeHandle<Kind>
}
