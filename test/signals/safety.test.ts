/**
 * Compares what the machine code of the signal handler can reach with the list in
 * docs/signal-safety.md.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Of the prebuild, which is stripped, the file that the same compiler linked with symbols.
const ADDON = fileURLToPath(
  new URL(
    `../../../build/${process.env.PREBUILDS_ONLY ? `prebuilds/linux-${process.arch}-glibc` : 'Release/threadsafe'}.node`,
    import.meta.url,
  ),
)
const DOCUMENT = fileURLToPath(new URL('../../../docs/signal-safety.md', import.meta.url))

const NATIVE = new URL('../../../native/', import.meta.url)

const HANDLER = 'on_signal'

/** The one function that calls through a pointer, to the handler that was there before. */
const CALLS_POINTER = 'call_handler'

interface MachineFunction {
  /** The names that it calls or jumps to, except for its own parts. */
  calls: Set<string>
  /** Calls or jumps whose target is known only at run time. */
  pointers: string[]
}

/** Returns the symbol of the function to which a part or an address belongs. */
function wholeSymbol(symbol: string): string {
  return symbol.replace(/\+0x[0-9a-f]+$/, '').replace(/ \[clone [^\]]*\]/g, '')
}

/**
 * Returns the name as in the document: f for `void threadsafe::(anonymous
 * namespace)::f<int>(long)`, and write for `write@plt`.
 */
function plainName(symbol: string): string {
  let name = symbol.replaceAll('(anonymous namespace)::', '')
  for (let longer = ''; longer !== name;) {
    longer = name
    name = name.replace(/<[^<>]*>/g, '').replace(/\([^()]*\)( const)?/g, '')
  }
  return (name.split(' ').at(-1) as string).replace(/^threadsafe::/, '').replace(/@plt$/, '')
}

/**
 * Parses the output of objdump. Returns each function by its symbol, which its cold parts and
 * clones share.
 */
function disassembly(): Map<string, MachineFunction> {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 28 } as const
  const text = execFileSync('objdump', ['--disassemble', '--demangle', '--no-show-raw-insn', ADDON], options)
  const functions = new Map<string, MachineFunction>()
  let current: MachineFunction | undefined
  let symbol = ''
  for (const line of text.split('\n')) {
    const heading = /^[0-9a-f]+ <(.*)>:$/.exec(line)
    if (heading) {
      symbol = wholeSymbol(heading[1] as string)
      // A stub that leads to a function of another library has no calls of its own.
      current = symbol.endsWith('@plt') ? undefined : (functions.get(symbol) ?? { calls: new Set(), pointers: [] })
      if (current) functions.set(symbol, current)
      continue
    }
    // Matches call, jmp and jne on x64, and bl, b, b.ne, cbz and tbnz on arm64; with a pointer call
    // *%rax, jmp *0x8(%rax), blr x1 and br x1.
    const instruction = /^\s*[0-9a-f]+:\s+(?:notrack |bnd )?(call|j[a-z]+|bl|b|b\.[a-z]+|cbn?z|tbn?z|blr|br)\s+(.*)$/.exec(line)
    if (!current || !instruction) continue
    const target = /<(.*)>/.exec(instruction[2] as string)?.[1]
    if (target === undefined || /^\*/.test(instruction[2] as string)) current.pointers.push(line.trim())
    else if (wholeSymbol(target) !== symbol) current.calls.add(wholeSymbol(target))
  }
  return functions
}

/** Returns the names in the first column of the document's tables. */
function documented(): Set<string> {
  const names = new Set<string>()
  for (const line of readFileSync(DOCUMENT, 'utf8').split('\n')) {
    const column = /^\| (`[^|]*)\|/.exec(line)?.[1] ?? ''
    for (const [, name] of column.matchAll(/`([^`]+)`/g)) names.add(name as string)
  }
  return names
}

/** Returns the functions of threadsafe.h whose comments say that a signal handler may call them. */
function signalSafeCalls(): string[] {
  const header = readFileSync(new URL('include/threadsafe.h', NATIVE), 'utf8')
  const calls = header.matchAll(/\[signal-safe\](?:(?!\*\/)[^])*\*\/\s*static inline threadsafe_status threadsafe_(\w+)\(/g)
  return [...calls].map(([, name]) => name as string)
}

describe('docs/signal-safety.md', () => {
  it('lists no function that is not in the file it names', () => {
    const missing: string[] = []
    let rows = 0
    for (const line of readFileSync(DOCUMENT, 'utf8').split('\n')) {
      const [, names = '', files = ''] = /^\| (`[^|]*)\| ((?:core|platform)\/[^|]*)\|/.exec(line) ?? []
      if (files === '') continue
      rows++
      const text = files.split(',').map((file) => readFileSync(new URL(file.trim(), NATIVE), 'utf8'))
      const words = new Set(text.join('\n').match(/~?\w+/g))
      for (const [, name] of names.matchAll(/`([^`]+)`/g)) {
        for (const word of (name as string).split('::')) if (!words.has(word)) missing.push(`${name} in ${files.trim()}`)
      }
    }
    assert.ok(rows > 20)
    assert.deepEqual(missing, [])
  })
})

if (process.platform === 'linux') {
  describe('the machine code of the signal handler', function () {
    this.timeout(60_000)

    let functions: Map<string, MachineFunction>
    const reached = new Map<string, string>()

    before(() => {
      functions = disassembly()
      const visit = (symbol: string, from: string): void => {
        if (reached.has(symbol)) return
        reached.set(symbol, from)
        for (const called of functions.get(symbol)?.calls ?? []) visit(called, symbol)
      }
      for (const symbol of functions.keys()) {
        if (plainName(symbol) === HANDLER) visit(symbol, 'the kernel')
      }
    })

    it('is found, together with functions that it is known to call', () => {
      const names = [...reached.keys()].map(plainName)
      for (const name of [HANDLER, CALLS_POINTER, 'uv_async_send', 'clock_gettime', 'write']) {
        assert.ok(names.includes(name), `${name} among ${names.join(', ')}`)
      }
    })

    it('reaches nothing that docs/signal-safety.md does not list', () => {
      const known = documented()
      const unknown = [...reached].filter(([symbol]) => !known.has(plainName(symbol)))
      assert.deepEqual(
        unknown.map(([symbol, from]) => `${plainName(symbol)}: ${symbol}, called by ${from}`),
        [],
      )
    })

    it('calls through a pointer only the handler that was there before', () => {
      const callers = [...reached.keys()].filter((symbol) => (functions.get(symbol)?.pointers.length ?? 0) > 0)
      const where = callers.flatMap((symbol) => [symbol, ...(functions.get(symbol)?.pointers ?? [])])
      assert.deepEqual(callers.map(plainName), [CALLS_POINTER], where.join('\n'))
    })

    it('and that of the signal-safe calls of threadsafe.h calls no other library functions', () => {
      const calls = signalSafeCalls()
      assert.ok(calls.length >= 17, calls.join(', '))
      const known = documented()
      const found = new Map<string, string>()
      const visit = (symbol: string, from: string): void => {
        if (found.has(symbol)) return
        found.set(symbol, from)
        for (const called of functions.get(symbol)?.calls ?? []) visit(called, symbol)
      }
      for (const call of calls) {
        const roots = [...functions.keys()].filter((symbol) => plainName(symbol) === call && symbol.includes('(anonymous namespace)'))
        assert.ok(roots.length > 0, `${call} among the functions of the addon`)
        for (const root of roots) visit(root, 'native code')
      }
      // The package's own functions are followed further. Any other must be on the list.
      const unknown = [...found].filter(([symbol]) => !/\bthreadsafe::/.test(symbol) && !known.has(plainName(symbol)))
      assert.deepEqual(
        unknown.map(([symbol, from]) => `${plainName(symbol)}: ${symbol}, called by ${from}`),
        [],
      )
      assert.ok([...found.keys()].some((symbol) => plainName(symbol) === 'uv_async_send'))
    })

    it('is bound to library functions when it is loaded, not at the first call', () => {
      assert.match(execFileSync('readelf', ['--dynamic', '--wide', ADDON], { encoding: 'utf8' }), /\(FLAGS_1\).*\bNOW\b/)
    })
  })
}
