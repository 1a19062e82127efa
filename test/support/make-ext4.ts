import { truncateSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'

export type MakeExt4Options = {
  readonly sizeBytes: number
  readonly words: readonly string[]
  /** So many files are written, and every second one removed, so that what is free lies in many pieces. */
  readonly fileCount?: number
}

/** An image file with the file system that `mke2fs` makes of `words`, without root. */
export function makeExt4(path: string, { sizeBytes, words, fileCount = 0 }: MakeExt4Options): void {
  writeFileSync(path, '')
  truncateSync(path, sizeBytes)
  runTool('mke2fs', ['-q', '-F', ...words, path])
  if (fileCount === 0) return
  const content = `${path}.content`
  writeFileSync(content, new Uint8Array(9000).fill(7))
  const names = Array.from({ length: fileCount }, (_, index) => `file${index}`)
  const requests = [
    ...names.map((name) => `write ${content} ${name}`),
    ...names.filter((_, index) => index % 2 === 0).map((name) => `rm ${name}`),
  ]
  debugExt4(path, requests)
}

/** Runs `debugfs -w` with one request a line. It says what went wrong, but ends with 0 all the same. */
export function debugExt4(path: string, requests: readonly string[]): void {
  runTool('debugfs', ['-w', '-f', '-', path], { input: `${requests.join('\n')}\n` })
}
