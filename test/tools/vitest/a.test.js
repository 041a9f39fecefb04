import * as lib from 'threadsafe'
import { test, vi } from 'vitest'
import { queuesAndEvents } from './suite.js'

const fake = { use: () => vi.useFakeTimers(), advance: (ms) => vi.advanceTimersByTime(ms), restore: () => vi.useRealTimers() }
queuesAndEvents({ test, fake }, lib)
