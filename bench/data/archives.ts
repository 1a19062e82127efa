import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostFile } from './host-files.ts'
import { runTool } from './run-tool.ts'
import { shuffled, type SeededStream } from './seeded-stream.ts'

export type ArchiveKind = { readonly suffix: string; readonly compressor: string }

export const TAR_ZST: ArchiveKind = { suffix: 'tar.zst', compressor: 'zstd -q -3 -T2' }
export const TAR_XZ: ArchiveKind = { suffix: 'tar.xz', compressor: 'xz -0 -T2' }

/** What goes into one archive, before compression, at a full-size volume. */
const ARCHIVE_INPUT_BYTES = 120e6

/** Packs host files into compressed archives below `folder` until these have `budgetBytes`. */
export function writeArchives(
  folder: string,
  files: readonly HostFile[],
  options: { readonly kind: ArchiveKind; readonly budgetBytes: number; readonly stream: SeededStream },
): number {
  const { kind, budgetBytes } = options
  mkdirSync(folder, { recursive: true })
  const queue = shuffled(files, options.stream)
  const inputBytesMax = Math.min(ARCHIVE_INPUT_BYTES, budgetBytes)
  let writtenBytes = 0
  for (let archiveIndex = 0; writtenBytes < budgetBytes && queue.length > 0; archiveIndex += 1) {
    const path = join(folder, `archive-${archiveIndex}.${kind.suffix}`)
    writeArchive(path, takeUpTo(queue, inputBytesMax), kind)
    writtenBytes += statSync(path).size
  }
  return writtenBytes
}

function takeUpTo(queue: HostFile[], budgetBytes: number): HostFile[] {
  const taken: HostFile[] = []
  let takenBytes = 0
  while (takenBytes < budgetBytes) {
    const file = queue.pop()
    if (file === undefined) break
    taken.push(file)
    takenBytes += file.sizeBytes
  }
  return taken.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function writeArchive(path: string, files: readonly HostFile[], kind: ArchiveKind): void {
  const list = `${path}.list`
  writeFileSync(list, files.map((file) => file.path).join('\0'))
  const sameEverywhere = ['--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--no-recursion']
  runTool('tar', [
    '-cPf',
    path,
    `--use-compress-program=${kind.compressor}`,
    ...sameEverywhere,
    '--null',
    `--files-from=${list}`,
  ])
  rmSync(list)
}
