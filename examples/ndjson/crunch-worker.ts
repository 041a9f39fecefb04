/** A worker of the pool: adds up the lines of whatever blocks it gets, and reports at its end. */
import { parentPort, workerData } from 'node:worker_threads'
import { type BlocksHandle, forEachBlock } from './blocks.js'
import { Summary } from './summary.js'

const summary = new Summary()
forEachBlock(workerData as BlocksHandle, (block) => summary.addLines(block))
parentPort?.postMessage(summary)
