import type { Range } from '../domain/range.ts'
import { decodeExtents } from '../extents/decode.ts'
import { ExtentTable } from '../extents/extent-table.ts'
import { BounceBuffers, BounceMemory } from '../linux/bounce-buffers.ts'
import {
  cutLongExtents,
  PAGE_SIZE_BYTES,
  planExtentReads,
  type DataExtent,
  type ExtentRead,
} from './extent-reads.ts'
import type { LaneSource } from './seal-lane.ts'

/** One read of a device, at most. */
const READ_SIZE_BYTES = 1024 * 1024
/** Of reads that bring several pieces, or no whole pages: so many are under way. */
const BOUNCES_MAX = 4

export type MappedSourceOptions = {
  readonly sizeBytes: number
  /** The map in its compact encoding; it covers 0 to `sizeBytes`. */
  readonly map: Uint8Array
  /** What the numbers of the map's devices stand for. */
  readonly devices: readonly LaneSource[]
  /** Page-aligned memory. */
  readonly allocate: (bytes: number) => Uint8Array
}

/**
 * An image whose bytes lie in pieces on other images: the files of a volume, a logical volume on its disks. Reads
 * are made where the bytes lie, in the order of the disk, neighbours together.
 */
export function mappedSource(options: MappedSourceOptions): LaneSource {
  const { sizeBytes, devices } = options
  const table = readTable(options)
  table.catch(() => {}) // The first read reports it.
  const { allocate } = options
  const bounces = new BounceBuffers(new BounceMemory({ sizeBytes: READ_SIZE_BYTES, allocate }), BOUNCES_MAX)

  async function readData(target: Uint8Array, offset: number, extents: readonly DataExtent[]): Promise<void> {
    const limits = {
      readSizeBytesMax: READ_SIZE_BYTES,
      deviceSizesBytes: devices.map((one) => one.sizeBytes),
    }
    const pieces = [...cutLongExtents(extents, READ_SIZE_BYTES)]
    const reads = planExtentReads(pieces, limits)
    for (const read of reads) devices[read.device]?.willRead?.(read)
    for (const read of reads) {
      const device = devices[read.device]
      const direct = directPlace(read, target, offset)
      if (direct !== null) {
        await device?.readInto(direct, read.offset)
        continue
      }
      await bounces.with(async (bounce) => {
        const bytes = bounce.subarray(0, read.length)
        await device?.readInto(bytes, read.offset)
        scatter(read, bytes, { target, offset })
      })
    }
  }

  return {
    sizeBytes,
    async readInto(target, offset) {
      const data: DataExtent[] = []
      for (const extent of (await table).extentsIn({ offset, length: target.byteLength } satisfies Range)) {
        const at = extent.offset - offset
        if (extent.kind === 'data') data.push(extent)
        else if (extent.kind === 'inline') target.set(extent.bytes, at)
        else target.fill(0, at, at + extent.length)
      }
      if (data.length > 0) await readData(target, offset, data)
    },
    async close() {
      for (const device of devices) await device.close?.()
    },
  }
}

/** Where a read may put its bytes itself: it is for one extent, of whole pages, that begins at a page of the target. */
function directPlace(read: ExtentRead, target: Uint8Array, offset: number): Uint8Array | null {
  const [extent, ...others] = read.extents
  if (extent === undefined || others.length > 0) return null
  const at = extent.offset - offset
  const isWhole = extent.physicalOffset === read.offset && extent.length === read.length
  return isWhole && at % PAGE_SIZE_BYTES === 0 ? target.subarray(at, at + read.length) : null
}

function scatter(
  read: ExtentRead,
  bytes: Uint8Array,
  to: { readonly target: Uint8Array; readonly offset: number },
): void {
  for (const extent of read.extents) {
    const at = extent.physicalOffset - read.offset
    to.target.set(bytes.subarray(at, at + extent.length), extent.offset - to.offset)
  }
}

async function readTable(options: MappedSourceOptions): Promise<ExtentTable> {
  const { sizeBytes, devices, map } = options
  return await ExtentTable.read(decodeExtents([map], { sizeBytes, deviceCount: devices.length }), {
    sizeBytes,
  })
}
