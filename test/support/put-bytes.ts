import { closeSync, openSync, writeSync } from 'node:fs'

/** Overwrites a part of a file, such as a partition of the image of a disk. */
export function putBytes(path: string, bytes: Uint8Array, offset: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, undefined, offset)
  closeSync(file)
}
