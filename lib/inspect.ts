/** How `console.log()` and `util.inspect()` show the package's objects. */
import { inspect, type InspectOptions } from 'node:util'

/** The method that `util.inspect()` calls. It is the same symbol in every realm. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom')

function classOf(object: object, usual: string): string {
  const { constructor } = object as { constructor?: { name?: unknown } }
  return typeof constructor?.name === 'string' && constructor.name !== '' ? constructor.name : usual
}

/** Code points that would break the line or the terminal. A subclass's name is the user's own. */
const CONTROL = /\p{C}/gu

/**
 * Shows the object as `Class { … }`, with the properties that `look` returns. Never throws,
 * whatever was done to the object. One that `look` can't read, such as a prototype, is shown by its
 * class alone.
 */
export function inspectAs(object: object, usual: string, look: () => object, depth: unknown, options: InspectOptions | undefined): string {
  let name = usual
  try {
    name = classOf(object, usual).replace(CONTROL, '')
    if (typeof depth === 'number' && depth < 0) return `[${name}]`
    return `${name} ${inspect(look(), { ...options, depth: typeof depth === 'number' ? depth : (options?.depth ?? null) })}`
  } catch {
    return `${name} {}`
  }
}
