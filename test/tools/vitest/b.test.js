import * as lib from 'threadsafe'
import { test, vi } from 'vitest'
import { sharedData, signals } from './suite.js'

const fake = { use: () => vi.useFakeTimers(), advance: (ms) => vi.advanceTimersByTime(ms), restore: () => vi.useRealTimers() }
signals({ test, fake }, lib)
sharedData({ test, fake }, lib)
