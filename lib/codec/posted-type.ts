/** Element types as handles carry them. */
import { invalidType } from '../errors.js'
import { checkElementType, type ElementType } from './element-type.js'
import { type FieldTypes, isRecordType, record, type RecordType } from './record-type.js'

/** A record type travels as its fields: classes do not survive structured clone. */
export type PostedType = Exclude<ElementType, RecordType> | { readonly record: FieldTypes }

export function postedType(type: ElementType): PostedType {
  return isRecordType(type) ? { record: type.fields } : type
}

/** The type that the handle of such an object says; throws what it is not. */
export function postedTypeOf(said: unknown, owner: string): ElementType {
  try {
    return checkElementType(typeof said === 'object' && said !== null ? record((said as { record: FieldTypes }).record) : said)
  } catch {
    throw invalidType('handle', `the handle of a ${owner}, which has a type`, { type: said })
  }
}
