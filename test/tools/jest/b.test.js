import { jest, test } from '@jest/globals'
import * as lib from 'threadsafe'
import { sharedData, signals } from './suite.js'

const fake = { use: () => jest.useFakeTimers(), advance: (ms) => jest.advanceTimersByTime(ms), restore: () => jest.useRealTimers() }
signals({ test, fake }, lib)
sharedData({ test, fake }, lib)
