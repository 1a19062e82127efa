import type { Range } from '../../domain/range.ts'
import { complementRanges } from '../../extents/complement-ranges.ts'
import type { ExtentLookup } from '../../images/mapped-image.ts'
import { FormatError, UnmappedError } from '../format-error.ts'
import { freeRanges as freeExtents } from '../lvm2/free-ranges.ts'
import { freeInPool } from './free-in-pool.ts'
import { groupAllocation, groupOfDisk } from './group-allocation.ts'
import { RangeGatherer } from './range-gatherer.ts'
import { ownAllocation } from './volume-allocation.ts'
import type { StackGroup, Volume, VolumeStack } from './volume.ts'

export type FreeOptions = {
  /** Ranges that are shorter are left out: they would only cost memory. */
  readonly atLeastBytes: number
  readonly signal: AbortSignal
}

type Ranges = readonly Range[]

/**
 * What is proven free on the volumes of a stack: blocks that a clean file system does not use, extents that no logical
 * volume of a group has, blocks that no volume of a thin pool has, through all layers. Everything else is data: tables,
 * gaps, what is not mapped, what is shared, and what is damaged. Each volume is looked into once. Memory: the ranges
 * that are returned, of all volumes.
 */
export class FreeSpace {
  readonly #stack: VolumeStack
  readonly #options: FreeOptions
  readonly #volumes = new Map<Volume, Promise<Ranges>>()
  readonly #groups = new Map<StackGroup, Promise<readonly Ranges[]>>()

  constructor(stack: VolumeStack, options: FreeOptions) {
    this.#stack = stack
    this.#options = options
  }

  /** Ascending, not overlapping. */
  of(volume: Volume): Promise<Ranges> {
    let found = this.#volumes.get(volume)
    if (found === undefined) {
      found = this.#find(volume)
      this.#volumes.set(volume, found)
    }
    return found
  }

  async #find(volume: Volume): Promise<Ranges> {
    switch (volume.content.kind) {
      case 'partition-table':
        return await this.#inPartitions(volume)
      case 'physical-volume':
        return await this.#onDisk(volume)
      case 'file-system':
        return await this.#inFileSystem(volume)
      case 'empty':
      case 'unmapped':
        return []
    }
  }

  async #inFileSystem({ content, image }: Volume): Promise<Ranges> {
    if (content.kind !== 'file-system') return []
    const { fileSystem } = content
    const { sizeBytes } = fileSystem
    if (!fileSystem.allocation.proven || sizeBytes > image.sizeBytes) return []
    const free = this.#gatherer()
    const isSound = await isReadable(async () => {
      for await (const batch of complementRanges(fileSystem.usedRanges(this.#options.signal), {
        sizeBytes,
      })) {
        for (const range of batch) if (range.length >= this.#options.atLeastBytes) free.add(range)
      }
    })
    return isSound ? free.ranges() : []
  }

  async #inPartitions(disk: Volume): Promise<Ranges> {
    const free = this.#gatherer()
    for (const volume of this.#stack.volumes) {
      const { origin } = volume
      if (origin.kind !== 'partition' || origin.disk !== disk) continue
      if (!ownAllocation(this.#stack, volume).proven) continue
      const start = origin.partition.range.offset
      for (const { offset, length } of await this.of(volume)) free.add({ offset: start + offset, length })
    }
    return free.ranges()
  }

  /** Of one physical volume of a group: what no logical volume has, and what is free on those that have the rest. */
  async #onDisk(disk: Volume): Promise<Ranges> {
    const group = groupOfDisk(this.#stack, disk)
    if (group === null) return []
    let found = this.#groups.get(group)
    if (found === undefined) {
      found = this.#inGroup(group)
      this.#groups.set(group, found)
    }
    return (await found)[group.devices.indexOf(disk)] ?? []
  }

  /** By device. */
  async #inGroup(group: StackGroup): Promise<readonly Ranges[]> {
    if (!groupAllocation(this.#stack, group).proven) return []
    const devices = group.devices.map((_, device) => {
      const free = this.#gatherer()
      for (const range of freeExtents(group.group, device)) free.add(range)
      return free
    })
    for (const volume of this.#stack.volumes) {
      const { origin } = volume
      if (origin.kind !== 'logical-volume' || origin.group !== group) continue
      if (!ownAllocation(this.#stack, volume).proven) continue
      this.#addWhereOn(devices, origin.map, await this.of(volume))
    }
    for (const pool of group.group.logicalVolumes) {
      if (pool.segments[0]?.kind !== 'thin-pool') continue
      const ranges: Range[] = []
      let map: ExtentLookup | null = null
      const isSound = await isReadable(async () => {
        const free = await freeInPool(group, pool, this.#options.signal)
        map = free?.map ?? null
        for await (const batch of free?.ranges ?? []) ranges.push(...batch)
      })
      if (isSound && map !== null) this.#addWhereOn(devices, map, ranges)
    }
    return devices.map((free) => free.ranges())
  }

  /** Adds where `ranges` of a map lie on its devices. */
  #addWhereOn(devices: readonly RangeGatherer[], map: ExtentLookup, ranges: Ranges): void {
    for (const range of ranges) {
      this.#options.signal.throwIfAborted()
      for (const extent of map.extentsIn(range)) {
        if (extent.kind !== 'data') continue
        devices[extent.device]?.add({ offset: extent.physicalOffset, length: extent.length })
      }
    }
  }

  #gatherer(): RangeGatherer {
    return new RangeGatherer(this.#options.atLeastBytes)
  }
}

/** What turns out to be damaged while it is read proves nothing, also where it seemed sound before. */
async function isReadable(read: () => Promise<void>): Promise<boolean> {
  try {
    await read()
    return true
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnmappedError) return false
    // Ranges that are out of order, or beyond the end.
    if (error instanceof RangeError) return false
    throw error
  }
}
