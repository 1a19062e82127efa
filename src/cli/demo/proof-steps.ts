import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { formatByteSize } from '../../domain/byte-size.ts'
import { formatDuration } from '../../domain/duration.ts'
import { shortId } from '../short-id.ts'
import { runShown } from './backup-steps.ts'
import { parseCheckReport, parseRestoreReport } from './command-reports.ts'
import type { Checked, DemoParts, Restored } from './demo-parts.ts'
import { compareImages } from './compare-images.ts'
import { isFileSystemClean } from './file-system-tools.ts'
import { bytesInUse, bytesWritten } from './free-in-volume.ts'
import { hashFiles } from './hash-files.ts'

const SHA256_SHOWN = 16

/** Restores a point to a new file and compares it with the volume that it was made of. */
export async function restoreAndCompare(
  parts: DemoParts,
  point: {
    readonly id: string
    readonly original: string
    readonly day: string
    readonly chunkSizeBytes: number
  },
): Promise<Restored> {
  const { story, folder, signal, tools } = parts
  await mkdir(join(folder, 'restored'), { recursive: true })
  const path = join(folder, 'restored', `${point.day}.img`)
  const words = ['restore', shortId(point.id), '--to', path]
  const { result, durationMs } = await runShown(parts, words, 'Restoring')
  const { writtenBytes, sizeBytes } = parseRestoreReport(result.json)
  const [originalSha256 = '', restoredSha256 = ''] = await story.during('Comparing by SHA-256', (progress) =>
    hashFiles([point.original, path], 2 * sizeBytes, { progress, signal }),
  )
  const isSame = originalSha256 === restoredSha256
  const difference = isSame
    ? { equal: true, zeroedFreeBytes: 0 }
    : await story.during('Looking where they differ', () => differenceOf(parts, point, path))
  const fileSystemClean = await story.during('Checking the file system', () =>
    isFileSystemClean(tools, path, signal),
  )
  if (!parts.keep) await rm(path, { force: true })
  const restored = {
    pointId: point.id,
    durationMs,
    writtenBytes,
    originalSha256,
    restoredSha256,
    ...difference,
    fileSystemClean,
  }
  await tell(parts, restored)
  return restored
}

/** What a file system calls free need not come back: a file that was deleted leaves its bytes there. */
async function differenceOf(
  { signal }: DemoParts,
  point: { readonly original: string; readonly chunkSizeBytes: number },
  restored: string,
): Promise<{ readonly equal: boolean; readonly zeroedFreeBytes: number }> {
  const ranges = await compareImages(point.original, restored, signal)
  const usedBytes = await bytesInUse(point.original, ranges, { ...point, signal })
  const writtenBytes = await bytesWritten(restored, ranges, signal)
  const differingBytes = ranges.reduce((sum, range) => sum + range.length, 0)
  return { equal: usedBytes === 0 && writtenBytes === 0, zeroedFreeBytes: differingBytes }
}

async function tell({ story }: DemoParts, restored: Restored): Promise<void> {
  const { durationMs, writtenBytes, originalSha256, restoredSha256, fileSystemClean } = restored
  await story.outcome('done', `Wrote ${formatByteSize(writtenBytes)} in ${formatDuration(durationMs)}.`)
  if (restoredSha256 === originalSha256) {
    await story.outcome(
      'done',
      `SHA-256 ${originalSha256.slice(0, SHA256_SHOWN)}… as the original, bit by bit.`,
    )
  } else if (restored.equal) {
    await story.outcome(
      'done',
      `Every byte that ext4 has in use is as in the original. ${formatByteSize(restored.zeroedFreeBytes)} of deleted files, which it calls free, came back as zeros.`,
    )
  } else {
    await story.outcome(
      'bad',
      `SHA-256 is ${restoredSha256}, and that of the original is ${originalSha256}: the restored volume is wrong.`,
    )
  }
  if (fileSystemClean === true) await story.outcome('done', 'e2fsck -fn finds nothing to repair.')
  if (fileSystemClean === false) await story.outcome('bad', 'e2fsck -fn finds the file system damaged.')
}

/** Reads every stored byte. */
export async function checkAll(parts: DemoParts): Promise<Checked> {
  const { story } = parts
  await story.step('Every stored byte, checked')
  const { result, durationMs } = await runShown(parts, ['check', '--data'], 'Checking')
  const report = parseCheckReport(result.json)
  const size = `${report.checkedChunkCount} chunks in ${report.checkedPackCount} packs, ${formatByteSize(report.readBytes)}`
  if (report.ok) {
    await story.outcome('done', `No problem: ${size}, read and verified in ${formatDuration(durationMs)}.`)
  } else {
    await story.outcome('bad', `${report.problems.length} problems in ${size}.`)
    for (const { code, message } of report.problems) await story.remark(`${code}: ${message}`)
  }
  return { report, durationMs }
}
