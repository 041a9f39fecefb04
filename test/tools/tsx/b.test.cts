import required = require('threadsafe')
import assert = require('node:assert/strict')

export { required }

/** Each instance opens the other's handles. */
export function across(test: typeof import('node:test').test, imported: typeof required): void {
  test('handles go from one instance to the other, and both await', async () => {
    for (const [here, there] of [
      [imported, required],
      [required, imported],
    ] as const) {
      const queue = new here.ThreadSafeQueue<string>(4, { type: 'string' })
      const other = there.ThreadSafeQueue.from<string>(queue.handle as never)
      const got = [queue.get(), other.get()]
      queue.putSync('first')
      other.putSync('second')
      assert.deepEqual((await Promise.all(got)).sort(), ['first', 'second'])
    }
  })
}
