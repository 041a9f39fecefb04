/**
 * The encoding of small plain objects and arrays. It is quicker than V8's serializer, whose set-up
 * alone takes longer than all of this. It gives up at the first thing that is not plain, and V8's
 * serializer then does the whole value. Plain are objects and arrays like those made by literals:
 * dense, with own enumerable properties, each only once in the value, which hold numbers, strings,
 * booleans, null and undefined. No encoder on npm keeps everything that `structuredClone` keeps:
 * the sign of zero, lone surrogates, undefined, any key, and which places are the same object.
 *
 *     value    tag, then for NUMBER 8 bytes, for INTEGER 4
 *     string   SHORT + length and as many characters of one byte; or a tag that tells the encoding, length (4), characters
 *     array    ARRAY, length (1), values
 *     object   OBJECT, shape, values
 *     shape    in words of 4 bytes: hash of the rest; how many words there are, times 65,536, plus how many keys; the keys as strings, and zeros up to a whole word
 *
 * The reader may never have seen a shape that the writer knows well, so each object carries its
 * shape. It is copied and compared word by word, and looked up by its hash.
 */

import { scratch, spaceOver } from '../../addon/space.js'

export const TAG = {
  integer: 0,
  number: 1,
  latin1: 2,
  utf16: 3,
  array: 4,
  object: 5,
  undefined: 6,
  null: 7,
  true: 8,
  false: 9,
  short: 16,
} as const

export { SHORT } from '../string.js'

export const WORD = 4
export const WORDS_UNIT = 2 ** 16

/** From here on V8's serializer is as fast. */
export const MOST_OBJECTS = 24
export const MOST_DEPTH = 12
export const MOST_ELEMENTS = 64

/**
 * Where shapes are assembled and parsed. This is outside the shared memory, since shapes are
 * remembered for the items of all queues, and must match their words even if a program writes over
 * a queue's memory.
 */
export const own = spaceOver(new ArrayBuffer(scratch.size), 0, scratch.size)

/** The number of shapes that are remembered. */
export const MOST_SHAPES = 1024
export const MOST_SHAPE_WORDS = 256
