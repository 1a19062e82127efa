/** A number as the documents of formats write it, and tools. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
