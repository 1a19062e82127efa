import type { FrozenImage } from '../domain/frozen-image.ts'
import type { VolumeRecord } from '../domain/ledger.ts'
import type { Range } from '../domain/range.ts'
import { FreeSpace } from '../formats/volume-stack/free-space.ts'
import { allocationOfPhysicalVolume } from '../formats/volume-stack/group-allocation.ts'
import { imageIndexes, imageIndexesOfGroup } from '../formats/volume-stack/image-indexes.ts'
import { openVolumeStack } from '../formats/volume-stack/open-volume-stack.ts'
import { volumeAllocation } from '../formats/volume-stack/volume-allocation.ts'
import type { Volume, VolumeStack } from '../formats/volume-stack/volume.ts'

/** What need not be read of an image, and what was found on it. */
export type ProvenFree = {
  /** Ascending, not overlapping. */
  readonly ranges: readonly Range[]
  readonly bytes: number
  readonly volumes: readonly VolumeRecord[]
}

/**
 * Looks into the images of a source for what their file systems, volume groups and pools prove free. Ranges shorter
 * than `atLeastBytes` are left out: a chunk is read whole. Images of one volume group must come together.
 */
export async function findProvenFree(
  images: readonly { readonly name: string; readonly image: FrozenImage }[],
  options: { readonly atLeastBytes: number; readonly signal: AbortSignal },
): Promise<readonly ProvenFree[]> {
  const stack = await openVolumeStack(images, options.signal)
  const free = new FreeSpace(stack, options)
  const found: ProvenFree[] = []
  for (const [index] of images.entries()) {
    const volume = stack.volumes.find(({ origin }) => origin.kind === 'image' && origin.index === index)
    const ranges = volume === undefined ? [] : await free.of(volume)
    const bytes = ranges.reduce((sum, range) => sum + range.length, 0)
    found.push({ ranges, bytes, volumes: recordsOf(stack, index) })
  }
  return found
}

/** The volumes on which nothing further was found: file systems, disks of groups that prove nothing, what is not mapped. */
function recordsOf(stack: VolumeStack, index: number): VolumeRecord[] {
  const records = stack.volumes
    .filter((volume) => imageIndexes(volume).includes(index))
    .flatMap((volume) => recordOf(stack, volume))
  const unmapped = stack.unmapped
    .filter(({ group }) => imageIndexesOfGroup(group).includes(index))
    .map(({ name, what, reason }) => ({ name, format: what, reason }))
  return [...records, ...unmapped]
}

function recordOf(stack: VolumeStack, volume: Volume): VolumeRecord[] {
  const { name, content } = volume
  switch (content.kind) {
    case 'partition-table':
      return []
    case 'physical-volume': {
      const allocation = allocationOfPhysicalVolume(stack, volume)
      return allocation.proven ? [] : [{ name, format: 'lvm2', reason: allocation.reason }]
    }
    case 'file-system': {
      const { format, allocation: own } = content.fileSystem
      const allocation = own.proven ? volumeAllocation(stack, volume) : own
      return [{ name, format, reason: allocation.proven ? null : allocation.reason }]
    }
    case 'empty':
      return [{ name, format: 'empty', reason: 'nothing known lies on it' }]
    case 'unmapped':
      return [{ name, format: content.what, reason: content.reason }]
  }
}
