/** A number as the documents of the format write it. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
