/** The benchmark suite: its statistics, its regression guard, and its command line. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandOf } from '../../bench/arguments.js'
import { type Change, changesText, compare } from '../../bench/harness/compare.js'
import { judge } from '../../bench/harness/measure.js'
import { deviation, median, pairedRatio } from '../../bench/harness/statistics.js'
import type { CaseResult, ContenderResult, Result } from '../../bench/report/result.js'
import { CHOICES } from '../../bench/report/costs.js'
import { cases } from '../../bench/suite.js'
import { within } from '../support.js'

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url))
/**
 * A case with few contenders, none of which must be compiled. Two run on other runtimes as well.
 */
const CHEAP = 'for-await'
const DEADLINE = 25_000

function contender(id: string, samples: number[], more: Partial<ContenderResult> = {}): ContenderResult {
  return { id, name: `the ${id}`, samples, ...more }
}

function aCase(id: string, contenders: ContenderResult[]): CaseResult {
  return { id, title: `Case ${id}`, topology: '1 to 1', kind: 'rate', unit: 'ns/item', contenders, goals: [] }
}

function result(...cases: CaseResult[]): Result {
  const machine = { cpu: 'some', cores: 2, memoryGiB: 4, os: 'Linux', kernel: '6', node: 'v20', v8: '11', commit: 'abc' }
  return { version: 1, machine, command: 'npm run bench', rounds: 5, quick: false, cases }
}

/** Returns five rounds around that median, with a deviation of 1.5 %. */
const around = (middle: number): number[] => [0.98, 0.99, 1, 1.01, 1.02].map((share) => share * middle)

describe('benchmark suite', () => {
  describe('statistics', () => {
    it('take the median, and an outlier moves neither it nor its deviation', () => {
      assert.equal(median([3, 1, 2]), 2)
      assert.equal(median([4, 1, 2, 3]), 2.5)
      assert.ok(Number.isNaN(median([])))
      assert.equal(deviation([10, 11, 12, 13, 14]), 1.4826)
      assert.equal(deviation([10, 11, 12, 13, 1e9]), 1.4826)
      assert.equal(deviation([5]), 0)
    })

    it('take ratios round by round, so that a moment that slows both changes nothing', () => {
      assert.equal(pairedRatio([20, 200, 200], [10, 100, 100]), 2)
      // The medians are 200 and 10.
      assert.equal(pairedRatio([20, 200, 200, 20, 200], [10, 100, 100, 10, 10]), 2)
      assert.equal(pairedRatio([6, 8], [2, 2, 2]), 3.5)
      assert.equal(pairedRatio([6, 8, 1], [2, 0, 0]), 3)
      assert.ok(Number.isNaN(pairedRatio([1], [0])))
      assert.ok(Number.isNaN(pairedRatio([], [1])))
    })
  })

  it('judges a goal by the medians of rounds, or by a percentile of all latencies', () => {
    const percentiles = (p99: number) => ({ percentiles: { p50: 1, p90: 2, p99, p999: 1e3, max: 1e4 } })
    const contenders = [contender('threadsafe', [4, 5, 6], percentiles(80)), contender('other', [2, 2, 2], percentiles(20))]
    const goal = { text: 'some', against: 'other', atMost: 3 }
    assert.deepEqual(judge(goal, contenders), { text: 'some', against: 'other', atMost: 3, measured: 2.5, met: true })
    assert.equal(judge({ ...goal, percentile: 'p99' }, contenders).measured, 4)
    assert.equal(judge({ ...goal, percentile: 'p99' }, contenders).met, false)
    assert.equal(judge({ ...goal, percentile: 'p99', against: null, atMost: 80 }, contenders).measured, 80)
    assert.equal(judge({ ...goal, percentile: 'p99' }, [contender('threadsafe', [1])]).measured, null)
  })

  it('has every case and contender whose cost the report shows', () => {
    for (const { what, caseId, ours, node, other } of CHOICES) {
      const contenders = cases.find(({ id }) => id === caseId)?.contenders.map(({ id }) => id) ?? []
      for (const id of [ours, node, other]) if (id !== undefined) assert.ok(contenders.includes(id), `${what}: ${caseId}, ${id}`)
    }
  })

  it('names its command without the folders of the machine', () => {
    assert.equal(commandOf([]), 'npm run bench')
    assert.equal(commandOf(['thread', '--json', '/home/me/new.json']), 'npm run bench -- thread --json new.json')
  })

  describe('comparison', () => {
    /** Compares one of our contenders and one other, before and after. */
    function changeOf(ours: [number[], number[]], other: [number[], number[]] = [around(50), around(50)]): Change {
      const [before, after] = [0, 1].map((k) =>
        result(aCase('one', [contender('threadsafe', ours[k] as number[]), contender('other', other[k] as number[])])),
      ) as [Result, Result]
      const changes = compare(before, after)
      assert.equal(changes.length, 1)
      return changes[0] as Change
    }

    it('reports what became slower or faster beyond the noise', () => {
      const slower = changeOf([around(100), around(120)])
      assert.deepEqual(slower, {
        where: 'Case one: the threadsafe',
        unit: 'ns/item',
        before: 100,
        after: 120,
        ratio: 1.2,
        verdict: 'slower',
      })
      assert.equal(changeOf([around(100), around(80)]).verdict, 'faster')
    })

    it('reports nothing for equal results', () => {
      assert.equal(changeOf([around(100), around(100)]).verdict, 'same')
    })

    it('reports nothing up to 5 %, however steady', () => {
      const steady = (value: number) => [value, value, value]
      assert.equal(changeOf([steady(100), steady(104.9)]).verdict, 'same')
      assert.equal(changeOf([steady(100), steady(105.1)]).verdict, 'slower')
    })

    it('reports nothing within three deviations of both runs together', () => {
      const noisy = (middle: number) => [-20, -10, 0, 10, 20].map((off) => middle + off)
      // 3 * 14.826 * sqrt(2) is 62.9.
      assert.equal(changeOf([noisy(100), noisy(162)]).verdict, 'same')
      assert.equal(changeOf([noisy(100), noisy(164)]).verdict, 'slower')
      assert.equal(changeOf([around(100), noisy(140)]).verdict, 'same')
    })

    it('takes the drift of the machine out', () => {
      const drifted = changeOf([around(100), around(150)], [around(50), around(75)])
      assert.equal(drifted.verdict, 'same')
      assert.ok(Math.abs(drifted.ratio - 1) < 1e-9)
      const beyond = changeOf([around(100), around(180)], [around(50), around(60)])
      assert.equal(beyond.verdict, 'slower')
      assert.ok(Math.abs(beyond.ratio - 1.5) < 1e-9)
      // Ours did not change, while the other, which shows the machine's speed, got faster.
      assert.equal(changeOf([around(100), around(100)], [around(50), around(25)]).verdict, 'same')
    })

    it('takes the median drift of the other contenders, and none if there are no others', () => {
      const three = (factors: number[]) => factors.map((factor, k) => contender(`other-${k}`, around(50 * factor)))
      const before = result(aCase('one', [contender('threadsafe', around(100)), ...three([1, 1, 1])]))
      const after = result(aCase('one', [contender('threadsafe', around(150)), ...three([1, 1.5, 9])]))
      assert.equal(compare(before, after)[0]?.verdict, 'same')
      const alone = (middle: number) => result(aCase('one', [contender('threadsafe', around(middle))]))
      assert.equal(compare(alone(100), alone(150))[0]?.verdict, 'slower')
    })

    it('compares all our contenders, and skips what only one result has measured', () => {
      const before = result(
        aCase('both', [
          contender('threadsafe', around(100)),
          contender('threadsafe-event', around(100)),
          contender('threadsafe-old', around(100)),
          contender('threadsafe-broken', [], { unavailable: 'did not finish within 30 s' }),
          contender('other', around(50)),
        ]),
        aCase('removed', [contender('threadsafe', around(100))]),
      )
      const after = result(
        aCase('both', [
          contender('threadsafe', around(100)),
          contender('threadsafe-event', around(200)),
          contender('threadsafe-new', around(500)),
          contender('threadsafe-broken', around(500)),
          contender('other', around(50)),
        ]),
        aCase('added', [contender('threadsafe', around(900))]),
      )
      const changes = compare(before, after)
      assert.deepEqual(
        changes.map(({ where, verdict }) => [where, verdict]),
        [
          ['Case both: the threadsafe', 'same'],
          ['Case both: the threadsafe-event', 'slower'],
        ],
      )
      assert.equal(
        changesText(changes),
        `- SLOWER: Case both: the threadsafe-event: 100 -> 200 ns/item, 2.00 x with the machine's drift taken out\n` +
          '2 compared, 1 slower beyond the noise',
      )
    })
  })

  describe('as a program', () => {
    let directory: string
    before(() => (directory = mkdtempSync(join(tmpdir(), 'threadsafe-bench-'))))
    after(() => rmSync(directory, { recursive: true }))

    async function bench(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
      const child = spawn(process.execPath, [RUN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (text) => (stdout += String(text)))
      child.stderr.on('data', (text) => (stderr += String(text)))
      try {
        const [code] = (await within(`the end of bench ${args.join(' ')}`, once(child, 'close'), DEADLINE)) as [number | null]
        return { code, stdout, stderr }
      } finally {
        child.kill('SIGKILL')
      }
    }

    function file(name: string, content: unknown): string {
      const path = join(directory, name)
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
      return path
    }

    const oneCase = (ours: number[], other: number[]) => result(aCase('one', [contender('threadsafe', ours), contender('other', other)]))

    it('lists the cases and their contenders', async () => {
      const { code, stdout } = await bench('--list')
      assert.equal(code, 0)
      const lines = stdout.trimEnd().split('\n')
      assert.deepEqual(
        lines.map((line) => line.split(' ')[0]),
        cases.map(({ id }) => id),
      )
      assert.match(
        lines.find((line) => line.startsWith(`${CHEAP} `)) ?? '',
        /: threadsafe, threadsafe-for-each, threadsafe-get, postMessage/,
      )
      const some = await bench('--list', 'PING-PONG', CHEAP)
      assert.ok(some.stdout.includes('ping-pong-blocking') && some.stdout.includes(CHEAP) && !some.stdout.includes('creation'))
    })

    it('compares two results: exits with 1 and names what became slower', async () => {
      const old = file('old.json', oneCase(around(100), around(50)))
      const slower = await bench('--compare', old, file('slower.json', oneCase(around(130), around(50))))
      assert.equal(slower.code, 1, slower.stderr)
      assert.match(slower.stdout, /SLOWER: Case one: the threadsafe: 100 -> 130 ns\/item, 1\.30 x[^]*1 compared, 1 slower/)
    })

    it('compares two results: raises no alarm for equal results, noise, or a machine that drifts', async () => {
      const old = file('old.json', oneCase(around(100), around(50)))
      for (const [name, newer] of Object.entries({
        equal: oneCase(around(100), around(50)),
        noisy: oneCase([60, 100, 130, 160, 200], around(50)),
        drifting: oneCase(around(130), around(65)),
        other: result(aCase('another', [contender('threadsafe', around(900))])),
      })) {
        const { code, stdout } = await bench('--compare', old, file(`${name}.json`, newer))
        assert.equal(code, 0, name)
        assert.match(stdout, name === 'other' ? /^0 compared, 0 slower/ : /^1 compared, 0 slower/, name)
      }
    })

    it('refuses wrong arguments before it measures, and names them', async function () {
      const good = file('good.json', oneCase(around(1), around(1)))
      const missing = join(directory, 'missing.json')
      const wrong: [args: string[], message: RegExp][] = [
        [['--rounds', '0'], /^--rounds: 0 is no whole number from 1/],
        [['--rounds', 'x'], /^--rounds: x is no whole number/],
        [['--rounds', '1.5'], /^--rounds: 1\.5 is no whole number/],
        [['no-such-case'], /^no-such-case: no case has that/],
        [[CHEAP, 'no-such-case'], /^no-such-case: no case has that/],
        [['--compare', missing], /^--compare: .*missing\.json/],
        [['--compare', good, missing], /^--compare: .*missing\.json/],
        [['--compare', file('text.json', 'no JSON')], /^--compare: .*text\.json is not JSON/],
        [['--compare', file('null.json', 'null')], /^--compare: .*null\.json is not a result/],
        [['--compare', file('other.json', { version: 2, cases: [] })], /^--compare: .*other\.json is not a result/],
        [['--compare', good, good, good], /one result at a time/],
        [['--compare', good, good, CHEAP], new RegExp(`^${CHEAP}: nothing is measured`)],
        [['--compare'], /--compare/],
        [[good], /good\.json: a result is for --compare/],
        [[CHEAP, '--json', join(directory, 'nowhere', 'new.json')], /^--json: .*nowhere/],
        [[CHEAP, '--runtimes', join(directory, 'no-node')], /^--runtimes: .*no-node/],
        [['--faster'], /--faster/],
      ]
      // One after another: all at once they would share the processor, and one deadline.
      this.timeout(wrong.length * DEADLINE)
      for (const [args, message] of wrong) {
        const { code, stdout, stderr } = await bench(...args)
        assert.equal(code, 2, args.join(' '))
        assert.match(stderr, message)
        assert.match(stderr, /\nusage: /)
        assert.doesNotMatch(stderr, /\n {4}at /)
        assert.equal(stdout, '')
      }
    })

    it('measures a case, here and on another runtime, and writes what --compare reads', async () => {
      const json = join(directory, 'new.json')
      const measured = await bench(CHEAP, '--quick', '--rounds', '1', '--runtimes', process.execPath, '--json', json)
      assert.equal(measured.code, 0, measured.stderr)
      const { version, machine, rounds, quick, cases } = JSON.parse(readFileSync(json, 'utf8')) as Result
      assert.deepEqual([version, rounds, quick], [1, 1, true])
      assert.equal(machine.node, process.version)
      assert.equal(machine.v8, process.versions.v8)
      assert.match(machine.commit, /^\S+$/)
      assert.ok(machine.cores >= 1 && machine.memoryGiB >= 0 && machine.cpu && machine.kernel)

      assert.deepEqual(
        cases.map(({ id }) => id),
        [CHEAP],
      )
      const { contenders, goals } = cases[0] as CaseResult
      const runtime = `node-${process.versions.node.split('.')[0]}`
      for (const id of ['threadsafe', 'postMessage', `threadsafe@${runtime}`, `postMessage@${runtime}`]) {
        const row = contenders.find((one) => one.id === id)
        assert.equal(row?.unavailable, undefined, id)
        assert.ok(row?.samples.length === 1 && (row.samples[0] as number) > 0, id)
        if (id.includes('@')) assert.ok(row.name.startsWith(`Node ${process.versions.node}: `), row.name)
      }
      assert.equal(contenders.find(({ id }) => id === 'ringbuf')?.unavailable, 'it can not be awaited')
      assert.ok((goals[0]?.measured ?? 0) > 0)
      assert.match(measured.stdout, /\| Node [\d.]+: threadsafe[^]*## Goals/)

      const same = await bench('--compare', json, json)
      const ours = contenders.filter(({ id, unavailable }) => id.startsWith('threadsafe') && unavailable === undefined)
      assert.deepEqual([same.code, same.stdout], [0, `${ours.length} compared, 0 slower beyond the noise\n`])
    })

    it('compares with what it measures', async () => {
      const json = join(directory, 'again.json')
      const never = aCase(CHEAP, [contender('threadsafe', [1e-6])])
      const { code, stdout } = await bench(
        CHEAP,
        '--quick',
        '--rounds',
        '1',
        '--json',
        json,
        '--compare',
        file('ideal.json', result(never)),
      )
      assert.equal(code, 1)
      assert.match(stdout, /SLOWER: .*threadsafe, for await/)
      assert.ok(existsSync(json))
    })
  })
})
