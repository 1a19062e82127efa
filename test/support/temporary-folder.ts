import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type TemporaryFolder = Disposable & {
  readonly path: string
  /** The path of a file or folder in it; nothing is made. */
  join(...names: readonly string[]): string
}

/** A new empty folder, removed with all that is in it at the end of the block: `using folder = temporaryFolder()`. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'icecore-test-'))
  return {
    path,
    join: (...names) => join(path, ...names),
    // A process that a test killed may still have one that writes its log.
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 10 }),
  }
}
