// The package is imported here and required in the other file, so one thread has two instances of
// it.
import { createRequire } from 'node:module'
import { mock, test } from 'node:test'
import * as imported from 'threadsafe'
import { queuesAndEvents, sharedData, signals } from './suite.js'

const { required, ...others } = createRequire(import.meta.url)('./b.test.cts') as typeof import('./b.test.cts')

const fake = {
  use: () => mock.timers.enable(),
  advance: (ms: number) => mock.timers.tick(ms),
  restore: () => mock.timers.reset(),
}
for (const lib of [imported, required]) {
  queuesAndEvents({ test, fake }, lib)
  signals({ test, fake }, lib)
  sharedData({ test, fake }, lib)
}
others.across(test, imported)
