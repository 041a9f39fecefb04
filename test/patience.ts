/** Has Mocha wait as long as support.ts does. For `mocha --require`, with TEST_PATIENCE. */
import type { Context, Test } from 'mocha'
import { PATIENCE } from './support.js'

export const mochaHooks = {
  beforeEach(this: Context): void {
    const test = this.currentTest as Test
    test.timeout(test.timeout() * PATIENCE)
  },
}
