type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles if the two types are the same: `same<A, B>(true)`. */
export function same<A, B>(yes: Same<A, B>): void {
  if (!yes) throw new Error('The types differ')
}
