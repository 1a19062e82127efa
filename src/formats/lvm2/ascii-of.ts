/** Identifiers and magics of LVM are ASCII; each byte is one character. */
export function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
