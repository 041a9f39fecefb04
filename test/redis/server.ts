/** A Redis server of the tests' own, on the loopback. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../bench/harness/free-port.js'

export const HAS_SERVER = spawnSync('redis-server', ['--version']).status === 0

export class RedisServer {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'threadsafe-redis-'))
  #process: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
  }

  static async start(...settings: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort())
    await server.start(...settings)
    return server
  }

  /** Starts it, again if it was killed, with what its append-only file has. */
  async start(...settings: string[]): Promise<void> {
    const own = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.#folder,
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
    ]
    // With SIGXFSZ ignored, a write past the limit of a file's size fails, as on a full disk.
    const program = ['-c', `trap '' XFSZ; exec redis-server "$@"`, 'bash', ...own, ...settings]
    const server = spawn('bash', program, { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#process = server
    let log = ''
    await new Promise<void>((resolve, reject) => {
      server.stdout.on('data', (text: Buffer) => {
        log += text.toString()
        if (log.includes('Ready to accept connections')) resolve()
      })
      server.once('exit', () => reject(new Error(`redis-server has ended:\n${log}`)))
    })
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  async kill(): Promise<void> {
    const server = this.#process
    this.#process = undefined
    if (!server) return
    server.kill('SIGKILL')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
