/** Records: each field at its offset. */
import { invalidType } from '../errors.js'
import type { RecordType } from '../record.js'
import { reserve, scratchView } from '../scratch.js'
import { ACCESS, checkCell } from './cell.js'
import type { MessageCodec } from './message.js'

export function recordCodec(type: RecordType): MessageCodec<unknown> {
  const fields = type.layout.map(({ name, type: fieldType, offset }) => ({ name, offset, access: ACCESS[fieldType] }))
  return {
    encode(item) {
      if (typeof item !== 'object' || item === null)
        throw invalidType('item', `an object with the fields ${Object.keys(type.fields).join(', ')}`, item)
      // All are read before any is written: a getter is other code, and may use a queue itself.
      const read = fields.map(({ name, access }) => {
        const value = (item as Record<string, unknown>)[name]
        checkCell(`item.${name}`, access.kind, value)
        return value
      })
      reserve(type.bytes)
      // Bytes between the fields are the same for equal records.
      for (let k = 0; k < type.bytes; k++) scratchView.setUint8(k, 0)
      fields.forEach(({ access, offset }, k) => access.write(scratchView, offset, read[k] as never))
      return type.bytes
    },
    decode() {
      const item: Record<string, unknown> = {}
      for (const { name, access, offset } of fields) item[name] = access.read(scratchView, offset)
      return item
    },
  }
}
