/** A job that costs nothing itself. */
export function next(x: number): number {
  return x + 1
}
