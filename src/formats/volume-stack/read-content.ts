import type { FrozenImage } from '../../domain/frozen-image.ts'
import { openExt4 } from '../ext4/open-ext4.ts'
import { openFileSet } from '../file-set/open-file-set.ts'
import { isFileSet } from '../file-set/read-index.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { readGpt } from '../gpt/read-gpt.ts'
import { readMbr } from '../mbr/read-mbr.ts'
import { recognise, type Recognition } from '../signatures/recognise.ts'
import { openXfs } from '../xfs/open-xfs.ts'
import type { VolumeContent } from './volume.ts'

/** What lies on a volume. Damage and what is not mapped are a content too: then all of it is data. */
export async function readContent(image: FrozenImage, signal: AbortSignal): Promise<VolumeContent> {
  try {
    return await contentOf(image, signal)
  } catch (error) {
    if (error instanceof FormatError) {
      return { kind: 'unmapped', what: `damaged: ${error.structure}`, reason: error.message }
    }
    // A read beyond the end of the volume, which no check foresaw.
    if (error instanceof RangeError) return { kind: 'unmapped', what: 'damaged', reason: error.message }
    if (error instanceof UnmappedError) return { kind: 'unmapped', what: error.what, reason: error.message }
    throw error
  }
}

async function contentOf(image: FrozenImage, signal: AbortSignal): Promise<VolumeContent> {
  if (await isFileSet(image)) return { kind: 'file-system', fileSystem: await openFileSet(image) }
  const found = await recognise(image, signal)
  switch (found.kind) {
    case 'gpt':
      return { kind: 'partition-table', table: await readGpt(image) }
    case 'mbr':
      return { kind: 'partition-table', table: await readMbr(image) }
    case 'lvm2':
      return { kind: 'physical-volume' }
    case 'ext':
      return { kind: 'file-system', fileSystem: await openExt4(image) }
    case 'xfs':
      return { kind: 'file-system', fileSystem: await openXfs(image) }
    case 'empty':
      return { kind: 'empty' }
    case 'foreign':
      return { kind: 'unmapped', what: found.name, reason: `${found.name} is recognised, but not mapped` }
    case 'unknown':
      return { kind: 'unmapped', what: found.name, reason: unknownReason(found) }
  }
}

function unknownReason({ claims }: Recognition): string {
  if (claims.length === 0) return 'it bears no mark of a known format'
  const marks = claims.map(({ name, offsetBytes }) => `${name} at byte ${offsetBytes}`)
  return `it bears marks that cannot all be true: ${marks.join(', ')}`
}
