/** A single number, bigint or boolean as content of its own: as many bytes as it has in C. */
import type { MessageCodec } from './message.js'
import { checkKind, SCALARS, type ScalarType } from './scalar.js'
import { spaceOver } from '../addon/space.js'

export function singleCodec(type: ScalarType): MessageCodec<unknown> {
  const { bytes, kind, read, write } = SCALARS[type]
  return {
    encode(item, hand) {
      checkKind('value', kind, item)
      write(hand.room(bytes).view, hand.at, item as never)
    },
    decode: (from, at) => read(from.view, at),
    isBody: true,
    varies: false,
    receive: (_head, body) => read(spaceOver(body.buffer, body.byteOffset, body.length).view, 0),
  }
}
