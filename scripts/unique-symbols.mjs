// Marks the tables that copies of the addon share as "unique" symbols of an ELF file
// (native/platform/process_wide.h). glibc's dynamic linker then uses only one of each in the whole
// process. GCC emits them as unique. Clang has no such option, and emits them as weak.
import { readFileSync, writeFileSync } from 'node:fs'

const SHT_DYNSYM = 11
const STT_OBJECT = 1
const STB_WEAK = 2
const STB_GNU_UNIQUE = 10
const SYMBOL_BYTES = 24

/** Yields the position and name of each dynamic symbol of a 64-bit little-endian file. */
function* dynamicSymbols(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = (offset) => Number(view.getBigUint64(offset, true))
  const sections = at(0x28)
  const [sectionBytes, sectionCount] = [view.getUint16(0x3a, true), view.getUint16(0x3c, true)]
  const section = (k) => sections + k * sectionBytes
  for (let k = 0; k < sectionCount; k++) {
    if (view.getUint32(section(k) + 4, true) !== SHT_DYNSYM) continue
    const names = at(section(view.getUint32(section(k) + 0x28, true)) + 0x18)
    const [first, size] = [at(section(k) + 0x18), at(section(k) + 0x20)]
    for (let symbol = first; symbol < first + size; symbol += SYMBOL_BYTES) {
      const name = names + view.getUint32(symbol, true)
      const isDefined = view.getUint16(symbol + 6, true) !== 0
      yield { info: symbol + 4, isDefined, name: bytes.toString('latin1', name, bytes.indexOf(0, name)) }
    }
  }
}

/** Returns how many symbols it has marked. */
export function makeUnique(file) {
  const bytes = readFileSync(file)
  let count = 0
  for (const { info, isDefined, name } of dynamicSymbols(bytes)) {
    const [binding, type] = [bytes[info] >> 4, bytes[info] & 0xf]
    if (!isDefined || type !== STT_OBJECT || binding !== STB_WEAK || !name.startsWith('_ZN10threadsafe')) continue
    bytes[info] = (STB_GNU_UNIQUE << 4) | type
    count++
  }
  writeFileSync(file, bytes)
  return count
}
