/**
 * Methods of built-in classes as functions, taken when the package is loaded. A method that is looked up at each call is whatever a program or a test has put in
 * its place: that would be given our buffers, and could run a queue's code in the middle of another call of it.
 */
const { bind, call } = Function.prototype

type Uncurried = <This, Args extends readonly unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
) => (self: This, ...args: Args) => Result

/** The method as a function of its object and its arguments. */
export const uncurried = bind.bind(call) as Uncurried

/** Copies a typed array's elements into another one. */
export const copyInto = uncurried(Uint8Array.prototype.set as (this: NodeJS.TypedArray, from: NodeJS.TypedArray, at?: number) => void)
