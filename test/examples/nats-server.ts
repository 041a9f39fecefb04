/** A NATS server with JetStream of the tests' own, on the loopback. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Why there is none; undefined if there is one. Up to 2.9, acknowledged messages stay in the
 * stream.
 */
export function missingNats(): string | undefined {
  const { status, stdout } = spawnSync('nats-server', ['--version'], { encoding: 'utf8' })
  if (status !== 0) return 'nats-server is not installed'
  const [, major = 0, minor = 0] = (/v(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number)
  return major > 2 || (major === 2 && minor >= 10) ? undefined : `nats-server is older than 2.10: ${stdout.trim()}`
}

export class NatsServer {
  readonly url: string
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(url: string, folder: string, server: ChildProcess) {
    this.url = url
    this.#folder = folder
    this.#process = server
  }

  static async start(): Promise<NatsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'threadsafe-nats-'))
    const args = ['--jetstream', '--store_dir', folder, '--addr', '127.0.0.1', '--port', '-1']
    const server = spawn('nats-server', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    const url = await new Promise<string>((resolve, reject) => {
      server.stderr.on('data', (text: Buffer) => {
        log += text.toString()
        const [, address] = /Listening for client connections on (\S+)/.exec(log) ?? []
        if (address !== undefined && log.includes('Server is ready')) resolve(`nats://${address}`)
      })
      server.once('exit', () => reject(new Error(`nats-server has ended:\n${log}`)))
    })
    return new NatsServer(url, folder, server)
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
