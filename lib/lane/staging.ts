/** This thread's staging area: the same part of the memory of every queue. */
import { native } from '../addon/native.js'

let number: number | undefined

/**
 * Returns the number of this thread's staging area, negative if none was left. It is taken when it
 * is first needed, as there are few.
 */
export function stagingAreaNumber(): number {
  return (number ??= native.stagingArea())
}
