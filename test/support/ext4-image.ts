import { readdirSync, truncateSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'
import { SAMPLE_TIME_SECONDS } from './sample-files.ts'

export type Ext4ImageOptions = {
  readonly sizeBytes: number
  /** A folder whose files are put into the file system. */
  readonly filesFrom?: string
  /** Bytes of a file-system block; default 4096. */
  readonly blockSizeBytes?: number
}

const FIXED_TIME = { E2FSPROGS_FAKE_TIME: String(SAMPLE_TIME_SECONDS) }
const UUID = '6963652d-636f-4265-a001-000000000001'

/** Makes an image file with an ext4 file system, without root. The same files give the same bytes. */
export function writeExt4Image(path: string, options: Ext4ImageOptions): void {
  writeFileSync(path, '')
  truncateSync(path, options.sizeBytes)
  const words = ['-q', '-F', '-t', 'ext4', '-b', String(options.blockSizeBytes ?? 4096), '-U', UUID]
  // Without lazy initialisation the whole layout is on the image, as on a disk that has been in use.
  words.push('-E', `hash_seed=${UUID},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0`)
  if (options.filesFrom !== undefined) words.push('-d', options.filesFrom)
  runTool('mke2fs', [...words, path], {
    environment: FIXED_TIME,
  })
  if (options.filesFrom !== undefined) setAllTimes(path, options.filesFrom)
}

/** Runs `debugfs -w` with one request a line (`write FILE NAME`, `rm NAME`) on an image that nobody mounted. */
export function changeExt4Image(path: string, requests: readonly string[]): void {
  const output = runTool('sh', ['-c', 'exec debugfs -w -f - "$0" 2>&1', path], {
    input: `${requests.join('\n')}\n`,
    environment: FIXED_TIME,
  })
  // It ends with 0 whatever happened, and says what went wrong between the echoed requests.
  if (/File not found|No such file|Usage:|already exists|while |invalid/i.test(output)) {
    throw new Error(`Cannot change "${path}": ${output}`)
  }
}

/** `mke2fs -d` copies the times of the files, of which nobody can set the change time. */
function setAllTimes(path: string, folder: string): void {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const requests = ['/', ...names.map((name) => `/${name}`)].flatMap((name) =>
    ['atime', 'ctime', 'mtime', 'crtime'].map((field) => `sif "${name}" ${field} @${SAMPLE_TIME_SECONDS}`),
  )
  changeExt4Image(path, requests)
}

/** Throws unless `e2fsck` finds the file system of an image or device clean. */
export function assertExt4Clean(path: string): void {
  runTool('e2fsck', ['-f', '-n', path])
}
