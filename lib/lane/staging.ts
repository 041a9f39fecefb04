/** This thread's staging area: the same part of the memory of every queue. */
import { native } from '../addon/native.js'

let number: number | undefined

/**
 * The number of the area, which is taken when it is first needed, as there are few. Negative if
 * none was left.
 */
export function stagingAreaNumber(): number {
  return (number ??= native.stagingArea())
}
