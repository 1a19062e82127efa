import { endOf, type Range } from '../../domain/range.ts'
import { complementRanges } from '../../extents/complement-ranges.ts'
import type { ExtentLookup } from '../../images/mapped-image.ts'
import { usedDataRanges } from '../dm-thin/thin-used-ranges.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import type { FileSystem } from '../file-system.ts'
import { freeRanges as freeExtents } from '../lvm2/free-ranges.ts'
import { openLogicalVolume } from '../lvm2/logical-volume-extents.ts'
import { usesOfDevice } from '../lvm2/physical-uses.ts'
import { thinPool } from '../lvm2/volume-content.ts'
import type { LogicalVolume } from '../lvm2/volume-group.ts'
import { openPool } from './open-pool.ts'
import type { StackGroup, Volume, VolumeStack } from './volume.ts'

export type FreeOptions = {
  /** Ranges that are shorter are left out: they would only cost memory. */
  readonly atLeastBytes: number
  readonly signal: AbortSignal
}

/**
 * What is proven free on a volume, ascending, not overlapping: blocks that a clean file system does not use, extents
 * that no logical volume of a group has, blocks that no volume of a thin pool has, through all layers. Everything
 * else is data: tables, gaps, what is not mapped, and what is damaged. Memory: the ranges that are returned.
 */
export async function freeRanges(
  stack: VolumeStack,
  volume: Volume,
  options: FreeOptions,
): Promise<readonly Range[]> {
  const free = await provenFree(stack, volume, options)
  return free.filter((range) => range.length >= options.atLeastBytes)
}

async function provenFree(
  stack: VolumeStack,
  volume: Volume,
  options: FreeOptions,
): Promise<readonly Range[]> {
  switch (volume.content.kind) {
    case 'partition-table':
      return await freeInPartitions(stack, volume, options)
    case 'physical-volume':
      return await freeInGroup(stack, volume, options)
    case 'file-system':
      return await orNone(() => freeInFileSystem(volume, options))
    case 'empty':
    case 'unmapped':
      return []
  }
}

/** What turns out to be damaged while it is read proves nothing. */
async function orNone(read: () => Promise<readonly Range[]>): Promise<readonly Range[]> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnmappedError) return []
    throw error
  }
}

async function freeInFileSystem(volume: Volume, options: FreeOptions): Promise<readonly Range[]> {
  if (volume.content.kind !== 'file-system') return []
  const { fileSystem } = volume.content
  if (!fileSystem.allocation.proven || fileSystem.sizeBytes > volume.image.sizeBytes) return []
  const free: Range[] = []
  for await (const batch of unusedRanges(fileSystem, options.signal)) {
    for (const range of batch) if (range.length >= options.atLeastBytes) free.push(range)
  }
  return free
}

function unusedRanges(fileSystem: FileSystem, signal: AbortSignal): AsyncIterable<readonly Range[]> {
  return complementRanges(fileSystem.usedRanges(signal), { sizeBytes: fileSystem.sizeBytes })
}

async function freeInPartitions(
  stack: VolumeStack,
  disk: Volume,
  options: FreeOptions,
): Promise<readonly Range[]> {
  const free: Range[] = []
  for (const volume of stack.volumes) {
    const { origin } = volume
    if (origin.kind !== 'partition' || origin.disk !== disk || origin.partition.overlaps) continue
    const { offset: start } = origin.partition.range
    for (const { offset, length } of await provenFree(stack, volume, options)) {
      free.push({ offset: start + offset, length })
    }
  }
  return free.toSorted(byOffset)
}

/** Of one physical volume of a group: what no logical volume has, and what is free on those that have the rest. */
async function freeInGroup(
  stack: VolumeStack,
  disk: Volume,
  options: FreeOptions,
): Promise<readonly Range[]> {
  const group = stack.groups.find(({ devices }) => devices.includes(disk))
  if (group === undefined) return []
  const device = group.devices.indexOf(disk)
  if (isUsedTwice(group, device)) return []
  const free = [...freeExtents(group.group, device)]
  for (const volume of stack.volumes) {
    const { origin } = volume
    if (origin.kind !== 'logical-volume' || origin.group !== group || origin.type !== 'segments') continue
    if (isOrigin(group, origin.volume)) continue
    const ranges = await provenFree(stack, volume, options)
    addWhereOn(free, device, { map: origin.map, ranges })
  }
  for (const pool of group.group.logicalVolumes) {
    if (pool.segments[0]?.kind !== 'thin-pool') continue
    const found = await orNone(() => freeInPool(group, { pool, device }, options))
    free.push(...found)
  }
  return joined(free.toSorted(byOffset))
}

/** What one volume has given up another may have then. */
function isUsedTwice(group: StackGroup, device: number): boolean {
  let end = 0
  for (const { startExtent, extentCount } of usesOfDevice(group.group, device)) {
    if (startExtent < end) return true
    end = startExtent + extentCount
  }
  return false
}

/** A snapshot still shows what its origin has given up. */
function isOrigin(group: StackGroup, volume: LogicalVolume): boolean {
  return group.group.logicalVolumes.some(({ segments }) =>
    segments.some((segment) => segment.kind === 'snapshot' && segment.originName === volume.name),
  )
}

async function freeInPool(
  group: StackGroup,
  { pool, device }: { readonly pool: LogicalVolume; readonly device: number },
  options: FreeOptions,
): Promise<readonly Range[]> {
  const parts = thinPool(group.group, pool)
  const metadata = await openPool(group, parts)
  // Behind its group's metadata the pool is to be given volumes, or told of some that are gone.
  if (parts.hasPendingMessages || metadata.transactionId !== parts.transactionId) return []
  if (metadata.dataBlockCount * metadata.dataBlockBytes > parts.dataVolume.sizeBytes) return []
  const map = openLogicalVolume(group.group, parts.dataVolume)
  const sizeBytes = metadata.dataBlockCount * metadata.dataBlockBytes
  const free: Range[] = []
  for await (const ranges of complementRanges(usedDataRanges(metadata, options.signal), { sizeBytes })) {
    addWhereOn(free, device, { map, ranges })
  }
  return free
}

/** Adds where `ranges` of a mapped image lie on one of its devices. */
function addWhereOn(
  target: Range[],
  device: number,
  { map, ranges }: { readonly map: ExtentLookup; readonly ranges: readonly Range[] },
): void {
  for (const range of ranges) {
    for (const extent of map.extentsIn(range)) {
      if (extent.kind !== 'data' || extent.device !== device) continue
      target.push({ offset: extent.physicalOffset, length: extent.length })
    }
  }
}

function byOffset(a: Range, b: Range): number {
  return a.offset - b.offset
}

/** Joins what touches, so that a file system's free space that goes over several extents is one range again. */
function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = []
  for (const range of ranges) {
    const last = result.at(-1)
    if (last !== undefined && endOf(last) >= range.offset) {
      const end = Math.max(endOf(last), endOf(range))
      result[result.length - 1] = { offset: last.offset, length: end - last.offset }
    } else {
      result.push(range)
    }
  }
  return result
}
