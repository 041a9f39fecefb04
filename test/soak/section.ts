/** A critical section, in which two words are incremented one after the other, without atomics. */
import type { Held } from '../../lib/index.js'

/** Words [0] and [1] are equal outside the section. [2] counts holders that died inside. */
export function enter(held: Held, words: Int32Array): void {
  const before = words[0] as number
  if (words[1] !== before) {
    if (!held.abandoned) throw new Error(`exclusion: ${before} and ${words[1]}, and the lock was not abandoned`)
    words[2] = (words[2] as number) + 1
  }
  words[0] = before + 1
  // Some sections take so long that others come to wait.
  const looks = before % 32 === 0 ? 20_000 : 20
  for (let k = 0; k < looks; k++) if (words[0] !== before + 1) throw new Error(`exclusion: ${words[0]} instead of ${before + 1}`)
  words[1] = before + 1
}
