import assert from 'node:assert/strict'
import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range } from '../../domain/range.ts'
import { BatchCollector } from '../../extents/batch-collector.ts'
import { moveExtent } from '../../extents/cut-extent.ts'
import { joinExtents } from '../../extents/join-extents.ts'
import { findLogicalVolume } from './find-logical-volume.ts'
import { requireMappable } from './mappable.ts'
import { type LogicalVolume, type Segment, type VolumeGroup } from './volume-group.ts'

export type LogicalVolumeOptions = {
  /** Of the volume; all of it where it is not given. */
  readonly range?: Range
  readonly signal?: AbortSignal
}

/**
 * The map of a logical volume over the physical volumes of its group, whose indexes are its devices: what its own
 * segments say. A thin volume has none of that kind, and the store of a classic snapshot is not what the snapshot
 * shows: `volumeContent()` tells how a volume is read.
 *
 * Throws UnmappedError at once when any of its segments is of a type that is not mapped, or lies on a physical volume
 * that is missing; FormatError when one lies beyond the end of its device.
 */
export function logicalVolumeExtents(
  group: VolumeGroup,
  volume: LogicalVolume,
  options: LogicalVolumeOptions = {},
): Iterable<ExtentBatch> {
  const { range = { offset: 0, length: volume.sizeBytes }, signal } = options
  assert(range.offset >= 0 && endOf(range) <= volume.sizeBytes)
  return inBatches(openLogicalVolume(group, volume).extentsIn(range), signal)
}

/** The same map, to be asked about any range: what `mappedImage()` takes. It throws as `logicalVolumeExtents()` does. */
export function openLogicalVolume(group: VolumeGroup, volume: LogicalVolume): LogicalVolumeMap {
  requireMappable(group, volume)
  const map = new SegmentMap(group)
  return {
    sizeBytes: volume.sizeBytes,
    extentsIn: (range) => {
      assert(range.offset >= 0 && endOf(range) <= volume.sizeBytes)
      return map.pieces(volume, range)
    },
  }
}

export type LogicalVolumeMap = {
  readonly sizeBytes: number
  /** Cut to `range`, ascending, covering it wholly; a stripe is an extent of its own. */
  extentsIn(range: Range): Iterable<Extent>
}

function* inBatches(extents: Iterable<Extent>, signal: AbortSignal | undefined): Generator<ExtentBatch> {
  const out = new BatchCollector(joinExtents)
  for (const extent of extents) {
    out.add(extent)
    if (!out.isFull) continue
    signal?.throwIfAborted()
    yield out.take()
  }
  yield* out.rest()
}

/** Follows segments down to the devices. Volumes on volumes end: `requireSoundReferences` has seen to it. */
class SegmentMap {
  readonly #group: VolumeGroup

  constructor(group: VolumeGroup) {
    this.#group = group
  }

  /** The extents of `range` of a volume, at their offsets in it. */
  *pieces(volume: LogicalVolume, range: Range): Generator<Extent> {
    const { extentSizeBytes } = this.#group
    const first = segmentAt(volume.segments, Math.floor(range.offset / extentSizeBytes))
    for (let index = first; index < volume.segments.length; index += 1) {
      const segment = volume.segments[index]
      assert(segment !== undefined)
      const segmentOffset = segment.startExtent * extentSizeBytes
      const offset = Math.max(range.offset, segmentOffset)
      const end = Math.min(endOf(range), segmentOffset + segment.extentCount * extentSizeBytes)
      if (offset >= end) return
      yield* this.#segment(segment, { offset, length: end - offset }, segmentOffset)
    }
  }

  *#segment(segment: Segment, range: Range, segmentOffset: number): Generator<Extent> {
    if (segment.kind === 'zero') {
      yield { kind: 'zero', ...range }
      return
    }
    assert(segment.kind === 'striped', 'requireMappable() lets no other segment pass')
    const { stripeSizeBytes, areas } = segment
    let offset = range.offset
    while (offset < endOf(range)) {
      const within = offset - segmentOffset
      const stripe = Math.floor(within / stripeSizeBytes)
      const offsetInStripe = within - stripe * stripeSizeBytes
      const length = Math.min(stripeSizeBytes - offsetInStripe, endOf(range) - offset)
      const area = areas[stripe % areas.length]
      assert(area !== undefined)
      const areaOffset = Math.floor(stripe / areas.length) * stripeSizeBytes + offsetInStripe
      const start = area.startExtent * this.#group.extentSizeBytes + areaOffset
      // Millions of stripes lie on a device; what lies on a volume is followed further.
      if (area.kind === 'physical') yield this.#onDevice(area.device, { offset, length }, start)
      else yield* this.#onVolume(area.volumeName, { offset, length }, start)
      offset += length
    }
  }

  /** `start` counts from the device's first extent on. */
  #onDevice(device: number, { offset, length }: Range, start: number): Extent {
    const facts = this.#group.physicalVolumes[device]
    assert(facts !== undefined)
    return { kind: 'data', offset, length, device, physicalOffset: facts.peStartBytes + start }
  }

  *#onVolume(volumeName: string, { offset, length }: Range, start: number): Generator<Extent> {
    const lower = findLogicalVolume(this.#group, volumeName)
    assert(lower !== null)
    for (const extent of this.pieces(lower, { offset: start, length })) {
      yield moveExtent(extent, extent.offset + offset - start)
    }
  }
}

/** The index of the segment that has an extent of the volume. */
function segmentAt(segments: readonly Segment[], extent: number): number {
  let low = 0
  let high = segments.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((segments[middle]?.startExtent ?? Infinity) <= extent) low = middle
    else high = middle
  }
  return low
}
