/** A job that does next to nothing. */
export function next(x: number): number {
  return x + 1
}
