/**
 * A worker of the pool. It adds up the lines of the blocks that it gets, and reports at its end.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type BlocksHandle, forEachBlock } from './blocks.js'
import { Summary } from './summary.js'

const summary = new Summary()
forEachBlock(workerData as BlocksHandle, (block) => summary.addLines(block))
parentPort?.postMessage(summary)
