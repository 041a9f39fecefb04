/**
 * Runs the inputs with which fuzzing has covered the most. `npm run fuzz` finds others. ctest runs
 * those of the C++ targets.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('./main.js', import.meta.url))
const corpus = fileURLToPath(new URL('../../../native/fuzz/corpus/', import.meta.url))

it('fuzzing sees the branches of the decoders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadsafe-fuzz-'))
  try {
    const work = join(folder, 'work')
    cpSync(`${corpus}decode`, work, { recursive: true })
    const args = [main, 'decode', '0.1', work, join(folder, 'current')]
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 })
    const [, branches] = /^\d+ runs, (\d+) branches/m.exec(output) ?? []
    assert.ok(Number(branches) > 50, output)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('the corpus of a fuzzing target shows nothing new:', () => {
  for (const name of ['decode', 'roundtrip', 'shared']) {
    it(name, () => {
      // Runs in a process of its own, as a finding may end it.
      const output = execFileSync(process.execPath, [main, name, corpus + name], { encoding: 'utf8', timeout: 50_000 })
      assert.match(output, /^[1-9]\d* inputs, no finding$/m)
    })
  }
})
