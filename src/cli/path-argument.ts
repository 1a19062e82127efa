import { parsePathBytes, splitPath } from '../domain/path-text.ts'

/** A path in a backup, as `icecore ls` prints it, from the root whether it begins with a slash or not. */
export function parseBackupPath(text: string): readonly Uint8Array[] {
  return splitPath(parsePathBytes(text))
}
