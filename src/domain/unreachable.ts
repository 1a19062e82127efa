/** The compiler proves that this is never called; at run time it crashes all the same. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable: ${JSON.stringify(value)}`)
}
