/**
 * Small plain objects and arrays, quicker than V8's serializer, whose set-up alone takes longer
 * than all of this. It is no encoder for everything: at the first thing that is not plain it gives
 * up, and V8's serializer does the whole value. Plain are objects and arrays that were made by
 * literals or like them, dense, with own enumerable properties, each only once in the value, and in
 * them numbers, strings, booleans, null and undefined. Written here as no encoder on npm keeps all
 * of what `structuredClone` keeps: the sign of zero, lone surrogates, undefined, any key, which
 * places are the same object.
 *
 *     value    tag, then for NUMBER 8 bytes, for INTEGER 4
 *     string   SHORT + length and as many characters of one byte; or a tag that tells the encoding, length (4), characters
 *     array    ARRAY, length (1), values
 *     object   OBJECT, shape, values
 *     shape    in words of 4 bytes: hash of the rest; how many words there are, times 65,536, plus how many keys; the keys as strings, and zeros up to a whole word
 *
 * Who reads may never have seen a shape that the writer knows well, so each object brings its
 * shape. It is copied and compared word by word, and the hash finds it.
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

/** Beyond these V8's serializer is as fast. */
export const MOST_OBJECTS = 24
export const MOST_DEPTH = 12
export const MOST_ELEMENTS = 64

/**
 * Where shapes are put together, and taken apart: out of the shared memory, since they are
 * remembered, for the items of all queues, and must be what their words say also where a program
 * writes over the memory of one.
 */
export const own = spaceOver(new ArrayBuffer(scratch.size), 0, scratch.size)

/** What is remembered of shapes. */
export const MOST_SHAPES = 1024
export const MOST_SHAPE_WORDS = 256
