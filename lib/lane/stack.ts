/**
 * Room on the stack. Items that are taken together are lost together if there is none to decode
 * them.
 */

const { apply } = Reflect
const nothing = (): void => undefined
const wordsOf = (bytes: number): readonly number[] => Array.from({ length: bytes / 8 }, () => 0)
/** More of the stack than decoding takes: of any item, and of a text. */
export const STACK = wordsOf(8192)
export const STACK_OF_TEXT = wordsOf(2048)

/**
 * Whether the stack has room for so many words, which this passes as arguments. Ask before items
 * are taken, not after.
 */
export function haveStack(words: readonly number[]): boolean {
  try {
    apply(nothing, undefined, words)
    return true
  } catch {
    return false
  }
}
