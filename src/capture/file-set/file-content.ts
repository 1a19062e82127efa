import type { Extent } from '../../domain/extent.ts'
import { endOf } from '../../domain/range.ts'
import type { ExtentLayer } from '../../extents/compose-extents.ts'
import { DATA_RANGES_MAX } from '../../formats/file-set/layout.ts'
import type { DataRanges } from '../../formats/file-set/data-ranges.ts'
import type { FileNode, FileSystem } from '../../formats/file-system.ts'
import { FormatError, UnmappedError } from '../../formats/format-error.ts'
import type { DataExtent } from './extent-columns.ts'
import type { Scratch } from './scratch.ts'

/** Where the content of a file lies. */
export type FileContent = {
  /** What is not a hole; what was allocated and never written is one. */
  readonly ranges: DataRanges
  /** Of these, what does not read as zeros, on the devices of the file set. */
  readonly extents: readonly DataExtent[]
}

export type ContentSource = {
  readonly fileSystem: FileSystem
  /** The volume that it is on. */
  readonly volumeSizeBytes: number
  /** Where the bytes of that volume lie on the images of the source. */
  readonly layer: ExtentLayer
  readonly scratch: Scratch
  /** The number of the scratch file among the devices, behind the images. */
  readonly scratchDevice: number
}

const NO_CONTENT: FileContent = { ranges: new Float64Array(0), extents: [] }

/**
 * Maps a file down to the images. What its file system keeps in the inode is copied to the scratch file. Throws
 * FormatError and UnmappedError.
 */
export async function mapContent(
  source: ContentSource,
  node: FileNode,
  signal: AbortSignal,
): Promise<FileContent> {
  if (node.kind !== 'file' || node.sizeBytes === 0) return NO_CONTENT
  const bounds: number[] = []
  const extents: DataExtent[] = []
  for await (const batch of source.fileSystem.fileExtents(
    node,
    { offset: 0, length: node.sizeBytes },
    signal,
  )) {
    signal.throwIfAborted()
    for (const extent of batch) {
      if (extent.kind === 'zero') continue
      if (bounds.at(-1) === extent.offset) bounds[bounds.length - 1] = endOf(extent)
      else bounds.push(extent.offset, endOf(extent))
      if (extent.kind === 'inline') extents.push(await copied(source, extent))
      else for (const lower of lowerExtents(source, node, extent)) await addLower(source, extents, lower)
    }
    if (bounds.length > 2 * DATA_RANGES_MAX) {
      const what = `file with more than ${DATA_RANGES_MAX} holes`
      throw new UnmappedError(
        what,
        `Cannot keep inode ${node.number}: it has more than ${DATA_RANGES_MAX} holes`,
      )
    }
  }
  return { ranges: Float64Array.from(bounds), extents }
}

async function addLower(source: ContentSource, extents: DataExtent[], lower: Extent): Promise<void> {
  if (lower.kind === 'data') extents.push(lower)
  else if (lower.kind === 'inline') extents.push(await copied(source, lower))
}

function* lowerExtents(source: ContentSource, node: FileNode, extent: DataExtent): Generator<Extent> {
  const { offset, length, physicalOffset } = extent
  if (physicalOffset + length > source.volumeSizeBytes) {
    const place = {
      structure: `extent at byte ${offset} of inode ${node.number}`,
      offsetBytes: physicalOffset,
    }
    throw new FormatError(
      place,
      `it ends at byte ${physicalOffset + length}, the volume at ${source.volumeSizeBytes}`,
    )
  }
  for (const lower of source.layer.extentsIn({ offset: physicalOffset, length })) {
    yield { ...lower, offset: lower.offset - physicalOffset + offset }
  }
}

async function copied(
  { scratch, scratchDevice }: ContentSource,
  { offset, length, bytes }: Extract<Extent, { kind: 'inline' }>,
): Promise<DataExtent> {
  return { kind: 'data', offset, length, device: scratchDevice, physicalOffset: await scratch.append(bytes) }
}
