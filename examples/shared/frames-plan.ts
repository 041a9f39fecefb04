/** Shared by frames.ts and its worker. */
import type { BufferPoolHandle, QueueHandle } from 'threadsafe'

export const FRAME = 'uint8[1048576]'
export const FRAMES = 60
export const SIZE = 2 ** 20

export type Stage = 'capture' | 'filter' | 'encode'

/** A frame that is done, and the number of frames by which the camera was then ahead of it. */
export interface Encoded {
  frame: number
  bytes: number
  ahead: number
}

export interface FramesData {
  stage: Stage
  pool: BufferPoolHandle<Uint8Array>
  captured: QueueHandle<number>
  filtered: QueueHandle<number>
  encoded: QueueHandle<Encoded>
}
