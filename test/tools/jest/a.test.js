import { jest, test } from '@jest/globals'
import * as lib from 'threadsafe'
import { queuesAndEvents } from './suite.js'

const fake = { use: () => jest.useFakeTimers(), advance: (ms) => jest.advanceTimersByTime(ms), restore: () => jest.useRealTimers() }
queuesAndEvents({ test, fake }, lib)
