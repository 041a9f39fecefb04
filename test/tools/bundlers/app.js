import { ThreadSafeQueue } from 'threadsafe'

const queue = new ThreadSafeQueue(1)
queue.putSync('works')
console.log(queue.getSync())
