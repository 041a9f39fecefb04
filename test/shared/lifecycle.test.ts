/** Records and messages keep a process alive, or end with it. */
import { strict as assert } from 'node:assert'
import { runProcess } from '../support.js'

describe('a process with records and messages', () => {
  const run = async (task: string): Promise<{ stdout: string; milliseconds: number }> => {
    const { code, signal, stdout, stderr, milliseconds } = await runProcess('shared-process', [task], 20_000)
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
    return { stdout, milliseconds }
  }

  it('lives as long as a call waits', async () => {
    assert.equal((await run('record waits')).stdout, 'waited\n')
    assert.equal((await run('message waits')).stdout, 'waited\n')
  })

  it('is not kept alive by those that were unref()ed, or are idle', async () => {
    assert.equal((await run('unref')).stdout, '')
    assert.equal((await run('idle')).stdout, '')
  })

  it('ends in the middle of writes and waits', async () => {
    for (let k = 0; k < 3; k++) await run('exit')
  })
})
