/**
 * The messages between the suite and a contender's process: lines of JSON. A mark tells answers
 * from what the contenders' packages print.
 */
import type { Sample } from './case.js'

export const MARK = '#bench '

export type Request = { readonly do: 'warm up'; readonly milliseconds: number } | { readonly do: 'round'; readonly items?: number }

export type Answer =
  | { readonly is: 'open' | 'warm' }
  | { readonly is: 'sample'; readonly sample: Sample }
  | { readonly is: 'unavailable' | 'failed'; readonly why: string }
