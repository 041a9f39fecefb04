/** The soak for a few seconds. `npm run soak` runs it for as long as you like. */
import { strict as assert } from 'node:assert'
import { buildNativeAddon } from '../fixtures/native-addon-build.js'
import { runProcess } from '../support.js'

/** What each part must have done at least, however short the time. */
const DONE = [
  'items of numbers',
  'items of bytes that span slots',
  'items among killed workers',
  'items of native threads',
  'workers killed',
  'buffers passed',
  'context: a job',
  'messages got',
  'objects made and dropped',
  'lock: acquire()',
  'event: to a blocked thread and back',
  'timer of 1 ms, own thread: signals',
  'record: writes of a handler',
]

describe('the soak, everything at once,', function () {
  this.timeout(200_000)
  before(() => buildNativeAddon())

  it('keeps every invariant', async () => {
    const { code, stdout, stderr } = await runProcess('../soak/main', ['--built', '--minutes', '0.05'], 190_000)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(stdout, /\nno violation\n$/)
    const counts = new Map([...stdout.matchAll(/^\| (.+) \| (\d+) \|$/gm)].map(([, name, count]) => [name, Number(count)]))
    assert.deepEqual(
      DONE.filter((name) => !counts.get(name)),
      [],
      stdout,
    )
  })
})
