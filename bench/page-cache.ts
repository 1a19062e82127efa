import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

const READ_SIZE_BYTES = 4 * 2 ** 20

/** Reads a file, or every file of a folder, once, so that the next reader finds it in the page cache. */
export function readThrough(path: string): void {
  const block = Buffer.alloc(READ_SIZE_BYTES)
  for (const file of filesBelow(path)) {
    const handle = openSync(file, 'r')
    while (readSync(handle, block) > 0);
    closeSync(handle)
  }
}

/** The sum of the sizes of the files below a path: what a repository would need on another disk. */
export function sizeBytesOf(path: string): number {
  let sizeBytes = 0
  for (const file of filesBelow(path)) sizeBytes += statSync(file).size
  return sizeBytes
}

/** Has the kernel write what is dirty, so that no run pays for the one before it. */
export function flushDirtyPages(): void {
  execFileSync('sync')
}

function* filesBelow(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) {
    yield path
    return
  }
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* filesBelow(join(path, entry.name))
    else if (entry.isFile()) yield join(path, entry.name)
  }
}
