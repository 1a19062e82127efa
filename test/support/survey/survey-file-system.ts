import type { Range } from '../../../src/domain/range.ts'
import { complementRanges } from '../../../src/extents/complement-ranges.ts'
import type { FileNode, FileSystem } from '../../../src/formats/file-system.ts'
import type { Volume } from '../../../src/formats/volume-stack/volume.ts'
import { walkFiles, type WalkedFile } from '../walk-files.ts'
import { complaining, complaintOf, type Complaint } from './complaint.ts'
import { MapJudge, RangeJudge } from './judge-ranges.ts'
import { SurveyFailure, type SurveyLimit } from './survey-limit.ts'

export type FileSystemSurvey = {
  readonly volume: string
  readonly fileSystem: FileSystem
  readonly usedBytes: number
  /** What it does not say is in use. */
  readonly free: readonly Range[]
  readonly fileCount: number
  readonly complaints: readonly Complaint[]
}

export type SurveyOptions = {
  readonly limit: SurveyLimit
  readonly signal: AbortSignal
  /** Told of every volume before its files. */
  readonly onVolume?: (volume: Volume) => void
  /** Told of every file that could be read, last. */
  readonly onFile?: (file: WalkedFile, of: { readonly volume: string }) => Promise<void>
}

/** Reads all that a file system tells: what it uses, every file's inode, map, target and attributes. */
export async function surveyFileSystem(
  volume: { readonly name: string; readonly sizeBytes: number; readonly fileSystem: FileSystem },
  options: SurveyOptions,
): Promise<FileSystemSurvey> {
  const { name, fileSystem } = volume
  const complaints: Complaint[] = []
  const free: Range[] = []
  const used = await complaining(complaints, name, () =>
    surveyUse(fileSystem, { ...options, free, volumeBytes: volume.sizeBytes }),
  )
  const files = await complaining(complaints, name, async () => {
    const root = await fileSystem.readNode(fileSystem.rootInodeNumber)
    return await surveyFiles(volume, root, { ...options, complaints })
  })
  for (const { structure, offsetBytes, found } of fileSystem.findings) {
    complaints.push({ volume: name, kind: 'finding', structure, offsetBytes, sentence: found })
  }
  return { volume: name, fileSystem, usedBytes: used ?? 0, free, fileCount: files ?? 0, complaints }
}

async function surveyUse(
  fileSystem: FileSystem,
  {
    limit,
    signal,
    free,
    volumeBytes,
  }: SurveyOptions & { readonly free: Range[]; readonly volumeBytes: number },
): Promise<number> {
  const { sizeBytes } = fileSystem
  const judge = new RangeJudge('what is in use', sizeBytes)
  for await (const batch of fileSystem.usedRanges(signal)) {
    limit.step(batch.length)
    for (const range of batch) judge.take(range)
  }
  for await (const batch of complementRanges(fileSystem.usedRanges(signal), { sizeBytes }))
    free.push(...batch)
  // A volume that was cut off has less than its file system.
  if (!fileSystem.allocation.proven && judge.bytes !== Math.min(sizeBytes, volumeBytes)) {
    throw new SurveyFailure('something is free although nothing is proven')
  }
  return judge.bytes
}

type FilesOptions = SurveyOptions & { readonly complaints: Complaint[] }

async function surveyFiles(
  volume: { readonly name: string; readonly sizeBytes: number; readonly fileSystem: FileSystem },
  root: FileNode,
  options: FilesOptions,
): Promise<number> {
  let count = 0
  for await (const batch of walkFiles(volume.fileSystem, root, options.signal)) {
    options.limit.step(batch.length)
    for (const file of batch) {
      if (file.kind === 'unreadable') {
        options.complaints.push(complaintOf(file.error, volume.name))
        continue
      }
      count += 1
      if (file.linkedTo === null) await surveyFile(volume, file.node, options)
      await complaining(options.complaints, volume.name, async () =>
        options.onFile?.(file, { volume: volume.name }),
      )
    }
  }
  return count
}

async function surveyFile(
  { name, sizeBytes, fileSystem }: Parameters<typeof surveyFiles>[0],
  node: FileNode,
  { limit, signal, complaints }: FilesOptions,
): Promise<void> {
  judgeNode(node)
  await complaining(complaints, name, () => fileSystem.readAttributes(node))
  if (node.kind === 'symlink') await complaining(complaints, name, () => fileSystem.readSymlink(node))
  if (node.kind !== 'file' || node.sizeBytes === 0) return
  await complaining(complaints, name, async () => {
    const range = { offset: 0, length: node.sizeBytes }
    const judge = new MapJudge(`inode ${node.number}`, range, [Math.min(sizeBytes, fileSystem.sizeBytes)])
    for await (const batch of fileSystem.fileExtents(node, range, signal)) {
      limit.step(batch.length)
      for (const extent of batch) judge.take(extent)
    }
    judge.end()
  })
}

function judgeNode(node: FileNode): void {
  const { number, sizeBytes, linkCount, mode } = node
  const isSound = [number, sizeBytes, linkCount, mode].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  )
  if (!isSound) throw new SurveyFailure(`inode ${number} has size ${sizeBytes} and ${linkCount} links`)
}
