/**
 * The benchmark report, made from a fixture. Its HTML is checked as a document and, if a Chromium
 * is found, in a browser. Every plot must be drawn, nothing logged or loaded, and nothing may be
 * wider than a phone.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { parseHTML } from 'linkedom'
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core'
import { markdown, markdownCosts, replaceMarked } from '../../bench/report/markdown.js'
import { page } from '../../bench/report/page.js'
import type { CaseResult, Result } from '../../bench/report/result.js'

const FIXTURE = fileURLToPath(new URL('../../../test/fixtures/report.json', import.meta.url))
const MAIN = fileURLToPath(new URL('../../bench/report/main.js', import.meta.url))

const PLOTS = [
  'overview',
  'bars:float64-one-thread',
  'series:float64-capacity',
  'bars:one-to-one',
  'series:float64-threads',
  'curves:ping-pong-blocking',
  'curves:wake-loop',
  'series:bytes',
  'series:float64-queues',
  'bars:memory-per-queue',
  'bars:creation',
  'bars:float64-one-thread-runtimes',
  'bars:ping-pong-blocking-runtimes',
  'goals',
]

const run = promisify(execFile)

function fixture(): Result {
  return JSON.parse(readFileSync(FIXTURE, 'utf8')) as Result
}

function caseOf(result: Result, id: string): CaseResult {
  const found = result.cases.find((one) => one.id === id)
  assert.ok(found, id)
  return found
}

describe('benchmark report', () => {
  describe('as a document', () => {
    const text = page(fixture())
    const { document } = parseHTML(text)
    const plot = (id: string) => {
      const figure = document.querySelector(`figure[data-plot="${id}"]`)
      assert.ok(figure, id)
      return figure
    }
    const textOf = (selector: string) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent ?? '')

    it('has every plot, for wide pages and for phones, with a label', () => {
      const figures = [...document.querySelectorAll('figure[data-plot]')]
      assert.deepEqual(
        figures.map((figure) => figure.getAttribute('data-plot')),
        PLOTS,
      )
      for (const figure of figures.filter((one) => one.getAttribute('data-plot') !== 'goals')) {
        assert.equal(figure.querySelectorAll('svg.wide').length, 1)
        assert.equal(figure.querySelectorAll('svg.narrow').length, 1)
      }
      for (const svg of document.querySelectorAll('figure svg')) {
        assert.equal(svg.getAttribute('role') === 'img' || svg.getAttribute('aria-hidden') === 'true', true)
        if (svg.getAttribute('role') === 'img') assert.ok(svg.getAttribute('aria-label'))
      }
    })

    it('draws what was measured, and never NaN', () => {
      assert.doesNotMatch(text, /NaN|Infinity|undefined/)
      assert.equal(plot('bars:one-to-one').querySelectorAll('svg.wide g[aria-label="dot"] > *').length, 5)
      assert.equal(plot('curves:wake-loop').querySelectorAll('svg.wide g[aria-label="line"] path').length, 4)
      assert.equal(plot('series:float64-capacity').querySelectorAll('svg.wide g[aria-label="line"] path').length, 3)
      assert.equal(plot('goals').querySelectorAll('td svg').length, 15)
    })

    it('needs no script and no network', () => {
      assert.equal(document.querySelectorAll('script, iframe, object, link:not([rel=icon]), img, video, audio').length, 0)
      assert.doesNotMatch(text, /@import|url\(\s*['"]?(https?:)?\/\//)
      assert.match(text, /default-src &#39;none&#39;|default-src 'none'/)
    })

    it('draws dots, not bars, where the axis is logarithmic and a length means nothing', () => {
      const marks = (id: string, mark: string) => plot(id).querySelectorAll(`svg.wide g[aria-label="${mark}"] > *`).length
      for (const figure of document.querySelectorAll('figure[data-plot^="bars:"]')) {
        const id = figure.getAttribute('data-plot') ?? ''
        const logarithmic = /logarithmic/.test(figure.querySelector('svg.wide')?.textContent ?? '')
        assert.equal(marks(id, 'bar') === 0, logarithmic, id)
        assert.equal(marks(id, 'dot') === 0, !logarithmic, id)
      }
    })

    it('begins with what a queue costs, and ends with the goals, folded', () => {
      const sections = [...document.querySelectorAll('section')].map(({ id }) => id)
      assert.deepEqual([sections[0], sections.at(-1)], ['costs', 'goals'])
      assert.match(textOf('.costs tbody tr')[0] ?? '', /a number, worker to worker/)
      assert.ok(document.querySelector('#goals details:not([open]) .verdicts'))
    })

    it('says which goals were met, missed and not measured', () => {
      assert.match(document.querySelector('.score')?.textContent ?? '', /13\s+of 16 met\s+2 missed, 1 not measured/)
      const missed = textOf('#goals tr.missed th')
      assert.equal(missed.length, 2)
      assert.match(missed[0] ?? '', /per item within 2 x of 1 to 1/)
      assert.equal(textOf('#goals tr.not-measured').length, 1)
    })

    it('says why a contender has no figures', () => {
      const reasons = textOf('td.unavailable')
      assert.ok(reasons.includes('has no asynchronous receive'))
      assert.ok(reasons.includes('signals need Linux'))
    })

    it('shows other runtimes in a section of their own, and says why one was not measured', () => {
      const rows = [...document.querySelectorAll('#runtimes #ping-pong-blocking-runtimes tbody tr')].map((row) =>
        [...row.querySelectorAll('th, td')].map(({ textContent }) => (textContent ?? '').replace(/\s+/g, ' ').trim()),
      )
      const on = (runtime: string) => rows.filter(([name]) => name?.includes(runtime))
      assert.equal(rows.length, 6)
      assert.deepEqual(
        on('Node 24').map((row) => row.at(-1)),
        ['ours', '55 ×'],
      )
      assert.deepEqual(
        on('Bun').map((row) => row.at(-1)),
        ['its worker did not start', 'its worker did not start'],
      )
      assert.equal(plot('bars:ping-pong-blocking-runtimes').querySelectorAll('svg.wide g[aria-label="dot"] > *').length, 4)
      // The other plots and tables show only this runtime.
      assert.equal(plot('bars:float64-one-thread').querySelectorAll('svg.wide g[aria-label="bar"] > *').length, 4)
      assert.doesNotMatch(document.querySelector('#overview')?.textContent ?? '', /Node 24|Bun/)
      const none = { ...fixture(), cases: [caseOf(fixture(), 'creation')] }
      assert.doesNotMatch(page(none), /Other runtimes/)
    })

    it('records the machine and the command, and labels a quick run', () => {
      const facts = textOf('.facts dd').join('\n')
      const { machine, command } = fixture()
      for (const fact of [machine.cpu, machine.os, machine.kernel, machine.v8, machine.commit, command])
        assert.ok(facts.includes(fact), fact)
      assert.equal(textOf('.warning').length, 1)
      assert.doesNotMatch(page({ ...fixture(), quick: false }), /class="warning"/)
    })

    it('links to sections that exist', () => {
      const links = [...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href')?.slice(1) ?? '')
      assert.ok(links.length > 10)
      for (const id of links) assert.ok(document.getElementById(id), id)
    })

    it('escapes what the result says', () => {
      const result = fixture()
      caseOf(result, 'creation').title = '<script>alert("x")</script> & more'
      const { document } = parseHTML(page(result))
      assert.equal(document.querySelectorAll('script').length, 0)
      assert.equal(document.querySelector('#creation h3')?.textContent, '<script>alert("x")</script> & more')
    })

    it('takes a run of one case, of no case, and one in which nothing could be measured', () => {
      const result = fixture()
      const one = caseOf(result, 'memory-per-queue')
      assert.match(page({ ...result, cases: [one] }), /data-plot="bars:memory-per-queue"/)
      assert.doesNotMatch(page({ ...result, cases: [] }), /data-plot/)
      assert.doesNotMatch(page({ ...result, cases: [caseOf(result, 'signal-loop')] }), /data-plot="(bars|curves|overview)/)
    })

    it('draws a single case of a series as bars, and figures of zero', () => {
      const result = fixture()
      const one = caseOf(result, 'bytes-64')
      for (const contender of one.contenders) contender.samples = [0, 0]
      const made = page({ ...result, cases: [one] })
      assert.match(made, /data-plot="bars:bytes-64"/)
      assert.doesNotMatch(made, /NaN|Infinity|undefined/)
    })

    it('draws a contender that costs nothing, beside one that costs something', () => {
      const result = fixture()
      const { contenders } = caseOf(result, 'bytes-64')
      assert.ok(contenders.length > 1)
      contenders.forEach((contender, k) => (contender.samples = k === 1 ? [0, 0] : [2, 3]))
      assert.doesNotMatch(page(result), /NaN|Infinity|undefined/)
    })
  })

  describe('as Markdown', () => {
    it('has a row for each case and each goal', () => {
      const result = fixture()
      const [head, cases, runtimes, reasons, goals] = markdown(result).split('\n\n') as [string, string, string, string, string]
      assert.match(head, /FIXTURE.*commit fixture.*5 rounds/)
      assert.match(head, / Others: .*ringbuf\.js \d+\.\d+\.\d+[,.]/)
      assert.equal(cases.split('\n').length, 2 + result.cases.length)
      assert.match(cases, /^\| float64, put and get, one queue, ns\/item \| \*\*32\.4\*\* \| ringbuf\.js 185 \(5\.9 ×\) · /m)
      assert.match(runtimes, /^\| other runtimes.* \| Node 20\.\d+\.\d+ \| Node 24\.11\.0 \| Bun 1\.3\.4 \|$/m)
      assert.match(runtimes, /^\| float64, put and get, one queue: threadsafe.*, ns\/item \| \*\*32\.4\*\* \| \*\*48\.6\*\* \| – \|$/m)
      assert.match(runtimes, /^\| a round trip, both blocking: MessageChannel, µs \| 146 \(55 ×\) \| 219 \(55 ×\) \| – \|$/m)
      assert.equal(reasons.split('\n').length, 3)
      assert.match(reasons, /^- a round trip, both blocking: Bun 1\.3\.4: MessageChannel: its worker did not start$/m)
      assert.equal(goals.split('\n').length, 2 + 16)
      assert.equal(goals.match(/\*\*missed\*\*/g)?.length, 2)
    })

    it('goes between the markers of a file that exists', () => {
      const text = '# Title\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nrest\n'
      assert.equal(replaceMarked(text, 'new'), '# Title\n\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\n\nrest\n')
      assert.throws(() => replaceMarked('# Title\n', 'new'), /bench:begin/)
    })
  })

  describe('as a program', () => {
    let directory: string
    before(() => (directory = mkdtempSync(join(tmpdir(), 'threadsafe-report-'))))
    after(() => rmSync(directory, { recursive: true }))

    it('writes both files', async () => {
      const html = join(directory, 'report.html')
      const table = join(directory, 'table.md')
      const costs = join(directory, 'costs.md')
      await run(process.execPath, [MAIN, FIXTURE, '--html', html, '--markdown', table, '--costs', costs])
      assert.equal(readFileSync(costs, 'utf8'), `${markdownCosts(fixture())}\n`)
      const { document } = parseHTML(readFileSync(html, 'utf8'))
      assert.deepEqual(
        [...document.querySelectorAll('figure[data-plot]')].map((figure) => figure.getAttribute('data-plot')),
        PLOTS,
      )
      assert.equal(readFileSync(table, 'utf8'), `${markdown(fixture())}\n`)
    })

    it('says what is wrong with its arguments and its input', async () => {
      await assert.rejects(run(process.execPath, [MAIN]), /usage:/)
      const other = join(directory, 'other.json')
      writeFileSync(other, '{"version":2}')
      await assert.rejects(
        run(process.execPath, [MAIN, other, '--html', join(directory, 'other.html')]),
        /not a result of the benchmark suite/,
      )
    })
  })

  inBrowser()
})

/** Returns the path of the first Chromium that exists. */
function chromiumPath(): string | undefined {
  const { CHROMIUM } = process.env
  const known = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`)
  return [...(CHROMIUM ? [CHROMIUM] : []), ...known].find((path) => existsSync(path))
}

function inBrowser(): void {
  const executablePath = chromiumPath()
  if (executablePath === undefined) {
    console.log('    no Chromium here, nor in the variable CHROMIUM: the report is not opened in a browser')
    return
  }

  const views: [name: string, options: BrowserContextOptions, shown: string][] = [
    ['on a wide page, light', { viewport: { width: 1200, height: 900 }, colorScheme: 'light' }, 'wide'],
    ['on a wide page, dark', { viewport: { width: 1200, height: 900 }, colorScheme: 'dark' }, 'wide'],
    ['on a phone, light', { viewport: { width: 360, height: 740 }, colorScheme: 'light' }, 'narrow'],
    ['on a phone, dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }, 'narrow'],
  ]

  describe('in a browser', () => {
    let directory: string
    let url: string
    let browser: Browser

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'threadsafe-report-'))
      const file = join(directory, 'report.html')
      writeFileSync(file, page(fixture()))
      url = pathToFileURL(file).href
      const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
      browser = await chromium.launch({
        executablePath,
        headless: true,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet],
      })
    })

    after(async () => {
      await browser?.close()
      rmSync(directory, { recursive: true })
    })

    for (const [name, options, shown] of views) {
      it(name, async () => {
        const context = await browser.newContext(options)
        const opened = await context.newPage()
        const problems: string[] = []
        const requests: string[] = []
        opened.on('console', (message) => problems.push(message.text()))
        opened.on('pageerror', (error) => problems.push(error.message))
        opened.on('request', (request) => requests.push(request.url()))
        await opened.goto(url)
        await opened.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)))

        const seen = await opened.evaluate(() => {
          const figures = [...document.querySelectorAll<HTMLElement>('figure[data-plot]')].map((figure) => {
            const plots = [...figure.querySelectorAll<SVGSVGElement>('svg')].filter((svg) => svg.getBoundingClientRect().width > 0)
            const clipped = plots.some((svg) => {
              const room = figure.getBoundingClientRect()
              return [...svg.querySelectorAll('text')].some((text) => {
                const { left, right } = text.getBoundingClientRect()
                return left < room.left - 1 || right > room.right + 1
              })
            })
            const marks = plots.flatMap((svg) => [...svg.querySelectorAll<SVGGraphicsElement>('path, rect, line')])
            return {
              id: figure.dataset['plot'] ?? '',
              classes: [...new Set(plots.map((svg) => svg.classList.item(svg.classList.length - 1)))],
              painted: marks.filter((mark) => mark.getBoundingClientRect().width + mark.getBoundingClientRect().height > 0).length,
              clipped,
            }
          })
          const { backgroundColor, color } = getComputedStyle(document.body)
          const lightness = (colour: string) => (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, value) => sum + Number(value), 0) / 3
          const width = document.documentElement.scrollWidth - document.documentElement.clientWidth
          return { figures, paper: lightness(backgroundColor), ink: lightness(color), overflow: width }
        })

        assert.deepEqual(
          seen.figures.map(({ id }) => id),
          PLOTS,
        )
        for (const { id, classes, painted, clipped } of seen.figures) {
          if (id !== 'goals') assert.deepEqual(classes, [shown], id)
          assert.ok(painted > 2, `${id} is empty`)
          assert.equal(clipped, false, `${id} has text beyond its box`)
        }
        assert.equal(seen.overflow, 0)
        assert.ok(options.colorScheme === 'dark' ? seen.paper < 60 && seen.ink > 180 : seen.paper > 230 && seen.ink < 80)
        assert.deepEqual(problems, [])
        assert.deepEqual(requests, [url])
        await context.close()
      })
    }

    for (const [name, options] of views.filter(([, { colorScheme }]) => colorScheme === 'light')) {
      it(`${name}: the report in the repository has less than 10,000 pixels`, async () => {
        const context = await browser.newContext(options)
        const opened = await context.newPage()
        await opened.goto(pathToFileURL(fileURLToPath(new URL('../../../bench/report.html', import.meta.url))).href)
        const [height, overflow] = await opened.evaluate(() => {
          const { scrollHeight, scrollWidth, clientWidth } = document.documentElement
          return [scrollHeight, scrollWidth - clientWidth] as const
        })
        assert.ok(height < 10_000, `${height} pixels`)
        assert.equal(overflow, 0)
        await context.close()
      })
    }
  })
}
