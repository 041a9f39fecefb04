/** Hooks of all tests, which Mocha loads first (.mocharc.json). */
import type { Context, Test } from 'mocha'
import { endAll, PATIENCE } from './support.js'

export const mochaHooks = {
  beforeEach(this: Context): void {
    const test = this.currentTest as Test
    test.timeout(test.timeout() * PATIENCE)
  },
  // A test that failed may have left some behind, which would keep Mocha from ending.
  afterAll: endAll,
}
