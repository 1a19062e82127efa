import type { Range, RangeBatch } from '../../src/domain/range.ts'
import { intersectRanges } from '../../src/extents/intersect-ranges.ts'
import type { LaneSource } from '../../src/lane/seal-lane.ts'
import type { BackupSource, RangeStream } from '../../src/mover/backup-source.ts'

/** An image in memory. `data` says where it has no holes; everywhere by default. */
export type MemoryImage = {
  readonly bytes: Uint8Array
  readonly data?: readonly Range[]
  /** Ranges that are said to have changed since the base. */
  readonly changes?: readonly Range[]
  /** Where the base run found data, when it left something out. */
  readonly baseData?: readonly Range[]
  /** What is proven free. */
  readonly free?: readonly Range[]
  /** Asked before each read: may throw. */
  readonly beforeRead?: (offset: number, length: number) => void
}

/** Both faces of an image: what the mover plans with and what a lane reads. */
export function memorySource(image: MemoryImage): { source: BackupSource; lane: LaneSource } {
  const { bytes, changes } = image
  const data = image.data ?? (bytes.byteLength > 0 ? [{ offset: 0, length: bytes.byteLength }] : [])
  return {
    source: {
      name: 'image',
      kind: 'volume',
      path: '/memory/image',
      type: 'file',
      identity: null,
      sizeBytes: bytes.byteLength,
      dataRanges: (range) => intersectRanges([data], [[range]]),
      fingerprint: () => Promise.resolve('frozen'),
      changes: changes === undefined ? null : rangeStream(changes),
      baseData: image.baseData === undefined ? null : rangeStream(image.baseData),
      ...(image.free === undefined ? {} : { freeRanges: rangeStream(image.free) }),
      freeBytes: null,
      volumes: [],
    },
    lane: {
      sizeBytes: bytes.byteLength,
      readInto(target, offset) {
        image.beforeRead?.(offset, target.byteLength)
        target.set(bytes.subarray(offset, offset + target.byteLength))
        return Promise.resolve()
      },
    },
  }
}

export function rangeStream(ranges: readonly Range[]): RangeStream {
  async function* stream(): AsyncGenerator<RangeBatch> {
    if (ranges.length > 0) yield await Promise.resolve(ranges)
  }
  return stream
}
