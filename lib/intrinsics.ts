/**
 * Methods of built-in classes as functions, taken when the package is loaded. A program or a test
 * may replace a method later. The replacement would be given our buffers, and could use a queue in
 * the middle of another call.
 */
import { atob } from 'node:buffer'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const { bind, call } = Function.prototype

type Uncurried = <This, Args extends readonly unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
) => (self: This, ...args: Args) => Result

/** The method as a function of its object and its arguments. */
export const uncurried = bind.bind(call) as Uncurried

/** Copies a typed array's elements into another one. */
export const copyInto = uncurried(Uint8Array.prototype.set as (this: NodeJS.TypedArray, from: NodeJS.TypedArray, at?: number) => void)

function nodesDOMException(): typeof DOMException {
  try {
    atob('*')
  } catch (error) {
    return (error as DOMException).constructor as typeof DOMException
  }
  return globalThis.DOMException
}

/**
 * Node's own DOMException. In a context (node:vm, Jest) the global one may be another, or missing.
 */
const NodeDOMException = nodesDOMException()
export { NodeDOMException as DOMException }

function cloneByPort<T>(value: T): T {
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(value)
    return (receiveMessageOnPort(port2) as { message: T }).message
  } finally {
    port1.close()
  }
}

/** Node's own structuredClone; the global one may be missing as well. */
export const structuredClone: <T>(value: T) => T = (globalThis as { structuredClone?: <T>(value: T) => T }).structuredClone ?? cloneByPort
