/** The module of a context: how it is named, and how its worker finds the functions in it. */
import { createRequire, isBuiltin } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { invalidType, invalidValue, shortened } from '../errors.js'
import type { ModuleName } from './context-protocol.js'

const PROTOCOLS = ['file:', 'data:', 'node:']
const EXPECTED = 'a URL, the path of a file, or the name of a package'

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** Checks the module: a URL of any realm, or a string, which is a URL or a path. */
export function checkModule(module: unknown): ModuleName {
  const isText = typeof module === 'string'
  if (!isText && (typeof module !== 'object' || module === null || types.isProxy(module) || !('href' in module && 'protocol' in module)))
    throw invalidType('module', EXPECTED, module)
  if (module === '' || (isText && module.includes('\0'))) throw invalidValue('module', EXPECTED, module)
  if (isText && (isAbsolute(module) || /^\.\.?(?:[\\/]|$)/.test(module))) return { url: pathToFileURL(resolve(module)).href }
  if (isText && isBuiltin(module)) return { url: module.startsWith('node:') ? module : `node:${module}` }
  const url = urlOf(isText ? module : String(module.href))
  if (url && PROTOCOLS.includes(url.protocol)) return { url: url.href }
  if (url || !isText) throw invalidValue('module', `a URL that begins with ${PROTOCOLS.join(', ')}`, isText ? module : String(module.href))
  return { specifier: module, from: join(process.cwd(), 'module.js') }
}

/** Returns the module's name for errors. */
export function nameOfModule(module: ModuleName): string {
  const name = 'url' in module ? module.url : module.specifier
  return name.startsWith('data:') ? shortened(name) : name
}

type Exports = Readonly<Record<string, unknown>>

/**
 * In a box, as a promise of the exports themselves resolves to what a function `then` of theirs
 * makes.
 */
interface Loaded {
  readonly exports: Exports
}

/** Loads the module. Called in the worker. */
export async function load(module: ModuleName): Promise<Loaded> {
  if ('url' in module) return exportsOf(module.url)
  const path = createRequire(module.from).resolve(module.specifier)
  return exportsOf(pathToFileURL(path).href)
}

/** Imports a module whose only export is the box: `import()` itself is a promise of the exports. */
async function exportsOf(url: string): Promise<Loaded> {
  const box = `export * as exports from ${JSON.stringify(url)}`
  try {
    return (await import(`data:text/javascript,${encodeURIComponent(box)}`)) as Loaded
  } catch {
    // It fails again, and the error does not name the box as the module that imports.
    return { exports: (await import(url)) as Exports }
  }
}

type Function = (...args: unknown[]) => unknown

/**
 * Returns all that a CommonJS module exports. Node may not find all of its names, as it looks for
 * them in the text.
 */
function whole(exports: Exports): Exports | undefined {
  const { default: everything } = exports
  const isObject = (typeof everything === 'object' && everything !== null) || typeof everything === 'function'
  return isObject && !types.isProxy(everything) ? (everything as unknown as Exports) : undefined
}

function ownFunction(of: object, name: string): Function | undefined {
  const value: unknown = Object.hasOwn(of, name) ? (of as Exports)[name] : undefined
  return typeof value === 'function' ? (value as Function) : undefined
}

/** Returns the exported function of that name. */
export function functionOf(exports: Exports, name: string): Function | undefined {
  const named = ownFunction(exports, name)
  if (named) return named
  const rest = whole(exports)
  const method = rest && ownFunction(rest, name)
  return method && ((...args) => Reflect.apply(method, rest, args))
}

/** Returns the names of all functions that functionOf() finds. */
export function functionsOf(exports: Exports): string[] {
  const rest = whole(exports)
  const names = new Set([...Object.keys(exports), ...(rest ? Object.keys(rest) : [])])
  return [...names].filter((name) => functionOf(exports, name))
}
