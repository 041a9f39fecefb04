/** The report as one HTML document that has no scripts and loads nothing. */
import { chapters, slug } from './chapters.js'
import { costs } from './costs.js'
import { goals } from './goals.js'
import { html, Html } from './html.js'
import { looks } from './look.js'
import { overview } from './plots.js'
import type { Result } from './result.js'
import { here, onRuntimes } from './runtimes.js'
import { chapter, figure, runtimes } from './sections.js'
import { STYLE } from './style.js'
import { costsTable } from './tables.js'

function facts({ machine, command, rounds }: Result): Html {
  const rows: [string, string][] = [
    ['Processor', `${machine.cpu}, ${machine.cores} cores`],
    ['Memory', `${Math.round(machine.memoryGiB * 10) / 10} GiB`],
    ['System', `${machine.os}, kernel ${machine.kernel}`],
    ['Node', `${machine.node.replace(/^v/, '')}, V8 ${machine.v8}`],
    ['Commit', machine.commit],
    ['Rounds', String(rounds)],
    ['Command', command],
  ]
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div class="${slug(name)}">
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

export function page(result: Result): string {
  const { quick, rounds } = result
  const { cases } = here(result)
  const elsewhere = onRuntimes(result)
  const known = looks(cases)
  const parts = chapters({ ...result, cases })
  const chosen = costs(cases)
  const links = [
    chosen.length > 0 && ['costs', 'What a queue costs'],
    ...parts.map(({ id, title }) => [id, title]),
    elsewhere.length > 0 && ['runtimes', 'Other runtimes'],
    cases.some(({ goals }) => goals.length > 0) && ['goals', 'Goals'],
  ].filter((link) => link !== false)
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:" />
        <link rel="icon" href="data:," />
        <title>threadsafe: benchmark report</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="kicker">Benchmark report</p>
            <h1>threadsafe</h1>
            <p class="lead">
              All figures are of one run, in which each of ${rounds} rounds runs every contender once. Lower is better everywhere; “×” is a
              contender’s cost divided by ours in the same round, by the median of the rounds.
            </p>
            ${quick && html`<p class="warning" role="note">A quick run, with few rounds: its figures are a first look, not a result.</p>`}
            <details>
              <summary>How it was measured</summary>
              ${facts(result)}
            </details>
          </header>
          ${
            chosen.length > 0 &&
            html`<section id="costs">
              <h2>What a queue costs</h2>
              ${costsTable(chosen)}
              ${figure('overview', overview(chosen), html`■ Node alone, ▲ another package. Right of the line: costs more than ours.`)}
            </section>`
          }
          <nav aria-label="Contents">${links.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
          ${parts.map((part) => chapter(part, known))} ${runtimes(elsewhere)} ${goals(cases)}
          <footer>Made by the benchmark suite of threadsafe from its own JSON. Plots by Observable Plot.</footer>
        </main>
      </body>
    </html>`
  return `${document.toString().replace(/^\s+/gm, '')}\n`
}
