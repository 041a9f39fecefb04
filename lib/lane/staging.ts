/** This thread's staging area: the same part of the memory of every queue. */
import { native } from '../addon/native.js'

let number: number | undefined

/** Taken when it is first needed: there are not many. Negative if there was none left. */
export function stagingAreaNumber(): number {
  return (number ??= native.stagingArea())
}
