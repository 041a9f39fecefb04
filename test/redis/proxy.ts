/** A TCP proxy before a server, which breaks connections at chosen moments. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class Proxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /**
   * Called with bytes for the server. Returns whether it has handled them; others are passed on.
   */
  #request: (bytes: Buffer, client: Socket, server: Socket) => boolean = () => false
  /** The same for bytes that come back. */
  #reply: (bytes: Buffer, client: Socket, server: Socket) => boolean = () => false
  /** How often a connection was broken. */
  cuts = 0

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      for (const socket of [client, server]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => this.#sockets.delete(socket))
      }
      client.on('data', (bytes: Buffer) => void (this.#request(bytes, client, server) || server.write(bytes)))
      server.on('data', (bytes: Buffer) => void (this.#reply(bytes, client, server) || client.write(bytes)))
      client.on('end', () => server.end())
      server.on('end', () => client.end())
    })
  }

  static async before(port: number): Promise<Proxy> {
    const proxy = new Proxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #cut(client: Socket, server: Socket): void {
    this.cuts++
    client.destroy()
    server.destroy()
  }

  /** Breaks the connection in the middle of the reply to the command that has this text. */
  cutReplyTo(text: string): void {
    this.#request = (bytes, asking) => {
      if (!bytes.includes(text)) return false
      this.#request = () => false
      this.#reply = (reply, client, server) => {
        if (client !== asking) return false
        this.#reply = () => false
        client.write(reply.subarray(0, reply.length / 2), () => this.#cut(client, server))
        return true
      }
      return false
    }
  }

  /** Breaks the connection in the middle of the reply that has this text. */
  cutReplyWith(text: string): void {
    this.#reply = (reply, client, server) => {
      if (!reply.includes(text)) return false
      this.#reply = () => false
      client.write(reply.subarray(0, reply.length / 2), () => this.#cut(client, server))
      return true
    }
  }

  /**
   * Holds back the command that has this text, and breaks its client's connection. Returns a
   * function that sends the command after all.
   */
  holdCommandWith(text: string): () => Promise<void> {
    let send = (): Promise<void> => Promise.reject(new Error('The command was not sent'))
    this.#request = (bytes, client, server) => {
      if (!bytes.includes(text)) return false
      this.#request = () => false
      send = async () => {
        const reply = once(server, 'data')
        server.write(bytes)
        await reply
        server.destroy()
      }
      this.cuts++
      client.removeAllListeners('end')
      client.destroy()
      return true
    }
    return () => send()
  }

  /** From now on swallows all bytes for the server, as half-open connections do. */
  swallow(): void {
    this.#request = () => true
  }

  /** Breaks all connections, and takes no new ones. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
