/**
 * Node's own way: a MessagePort between each producer and each consumer. It is unbounded, so
 * posting never waits.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Ends, Setup, Way } from './way.js'

function channels({ producers, consumers }: Setup): Ends {
  const table = Array.from({ length: producers }, () => Array.from({ length: consumers }, () => new MessageChannel()))
  const end = (ports: MessagePort[]) => ({ data: ports, transfer: ports })
  return {
    producers: table.map((row) => end(row.map(({ port1 }) => port1))),
    consumers: Array.from({ length: consumers }, (_, k) => end(table.map((row) => (row[k] as MessageChannel).port2))),
  }
}

/** Sends to all consumers, round-robin. */
function poster(ports: readonly MessagePort[], post: (port: MessagePort, item: unknown) => void): (item: unknown) => void {
  let next = 0
  if (ports.length === 1) return (item) => post(ports[0] as MessagePort, item)
  return (item) => {
    post(ports[next] as MessagePort, item)
    next = (next + 1) % ports.length
  }
}

function receiver(ports: readonly MessagePort[]): (count: number, use: (item: unknown) => void) => Promise<void> {
  let use: (item: unknown) => void = () => undefined
  let missing = 0
  let done: () => void = () => undefined
  const onMessage = (item: unknown) => {
    use(item)
    if (--missing === 0) done()
  }
  for (const port of ports) port.on('message', onMessage)
  return (count, useItem) => {
    use = useItem
    missing = count
    return new Promise((resolve) => (done = resolve))
  }
}

export const postMessage: Way = {
  id: 'postMessage',
  name: "postMessage, on('message')",
  note: 'unbounded',
  everywhere: true,
  open: channels,
  putter: (ports: MessagePort[]) => poster(ports, (port, item) => port.postMessage(item)),
  receiver,
}

export const postMessageTransfer: Way = {
  id: 'postMessage-transfer',
  name: 'postMessage with transfer',
  note: 'unbounded; each message needs a buffer of its own, which is made for it',
  cannot: ({ payload }) => (payload.kind === 'bytes' ? undefined : 'nothing to transfer'),
  open: channels,
  putter: (ports: MessagePort[]) =>
    poster(ports, (port, item) => {
      const copy = (item as Uint8Array).slice()
      port.postMessage(copy, [copy.buffer])
    }),
  receiver,
}
