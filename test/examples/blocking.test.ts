/** Runs the example of Context as a program, which checks what it shows. */
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('../../examples/blocking.js', import.meta.url))

describe('examples/blocking', function () {
  this.timeout(60_000)

  it('awaits blocking functions while the loop ticks on', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { timeout: 50_000 })
    assert.match(stdout, /✓ blocking: .*two keys took [\d,]+ ms and \d+ ticks/)
    assert.match(stdout, isBuiltin('node:sqlite') ? /a query took/ : /SQLite is left out/)
  })
})
