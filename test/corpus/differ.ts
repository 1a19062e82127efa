/** A sentence when both are not the same, else none. */
export function differ(what: string, found: unknown, expected: unknown): string[] {
  return found === expected ? [] : [`${what} is ${String(found)}, expected ${String(expected)}`]
}
