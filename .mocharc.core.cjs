// The tests that depend most on the runtime and on how C++ was compiled. Mocha's JSON can't extend
// another file.
'use strict'

module.exports = {
  ...require('./.mocharc.json'),
  spec: [
    'dist/test/codec/any.test.js',
    'dist/test/codec/numbers.test.js',
    'dist/test/codec/values.test.js',
    'dist/test/event.test.js',
    'dist/test/queue/async.test.js',
    'dist/test/queue/batches.test.js',
    'dist/test/queue/contract.test.js',
    'dist/test/queue/iterating.test.js',
    'dist/test/queue/overflow.test.js',
    'dist/test/queue/queue.test.js',
    'dist/test/queue/streams.test.js',
    'dist/test/wait/cancelling.test.js',
    'dist/test/wait/long-items.test.js',
  ],
}
