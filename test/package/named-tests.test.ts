/**
 * What scripts name of the tests is there: Mocha says nothing of a file or a title that is not,
 * among others that are.
 */
import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SCRIPTS = ['.ci/run', '.mocharc.core.cjs', 'scripts/checks.sh', 'scripts/verify.mjs']

const read = (file: string): string => readFileSync(ROOT + file, 'utf8')

describe('the tests that scripts name', () => {
  it('by file are there', () => {
    const patterns = SCRIPTS.flatMap((file) => read(file).match(/dist\/test\/[\w*{},./-]+/g) ?? [])
    assert.ok(patterns.length > 20, patterns.join(' '))
    // Bash expands the braces, and `ls` fails if there is no such file.
    execFileSync('bash', ['-O', 'globstar', '-c', `ls -d ${patterns.join(' ')}`], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
  })

  it('by title are there', () => {
    const checks = read('scripts/checks.sh')
    const titles = [...checks.matchAll(/(?:--grep |^measures=)'([^']+)'/gm)].flatMap(([, list]) => (list as string).split('|'))
    assert.ok(titles.length > 5, titles.join(', '))
    const tests = readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.test.ts'))
    const text = tests.map((path) => read(`test/${path}`)).join('\n')
    assert.deepEqual(
      titles.filter((title) => !new RegExp(title).test(text)),
      [],
    )
  })
})
