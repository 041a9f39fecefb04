/** Items that are taken together need the stack to be decoded, or they are lost together. */

const { apply } = Reflect
const nothing = (): void => undefined
const wordsOf = (bytes: number): readonly number[] => Array.from({ length: bytes / 8 }, () => 0)
/** More than it takes of the stack to decode any item; and a text. */
export const STACK = wordsOf(8192)
export const STACK_OF_TEXT = wordsOf(2048)

/**
 * Whether the stack has room for so many words, which are put there as arguments: asked before
 * items are taken, not after.
 */
export function haveStack(words: readonly number[]): boolean {
  try {
    apply(nothing, undefined, words)
    return true
  } catch {
    return false
  }
}
