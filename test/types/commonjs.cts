/** From CommonJS: Node can require() the package, and TypeScript 5.9 and newer know it. */
import { ThreadSafeQueue } from 'threadsafe'
import threadsafe = require('threadsafe')

const queue: ThreadSafeQueue<number, Float64Array> = new ThreadSafeQueue(4, { type: 'float64' })
threadsafe.ThreadSafeQueue.from(queue.handle).getManySync(1) satisfies Float64Array
void import('threadsafe').then((imported) => new imported.ThreadSafeEvent().set())
