import { ThreadSafeQueue } from 'threadsafe'
import { RedisQueue } from 'threadsafe/redis'

const queue = new ThreadSafeQueue(1)
queue.putSync('works')
console.log(typeof RedisQueue.open === 'function' && queue.getSync())
