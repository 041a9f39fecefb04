const { ThreadSafeQueue } = require('threadsafe')

const queue = new ThreadSafeQueue(1, { type: 'string' })
queue.putSync('works')
console.log(queue.getSync())
