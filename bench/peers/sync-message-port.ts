import { type MessagePort } from 'node:worker_threads'
import { SyncMessagePort } from 'sync-message-port'
import { onlyOneToOne, type Way } from './way.js'

export const syncMessagePort: Way = {
  id: 'sync-message-port',
  name: 'sync-message-port',
  package: 'sync-message-port',
  note: 'unbounded',
  cannot: onlyOneToOne,
  open() {
    const { port1, port2 } = SyncMessagePort.createChannel()
    return { producers: [{ data: port1, transfer: [port1] }], consumers: [{ data: port2, transfer: [port2] }] }
  },
  putter(port: MessagePort) {
    const sender = new SyncMessagePort(port)
    return (item) => sender.postMessage(item)
  },
  getter(port: MessagePort) {
    const receiver = new SyncMessagePort(port)
    return () => receiver.receiveMessage()
  },
}
