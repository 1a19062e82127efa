import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Range } from '../../domain/range.ts'
import { BATCH_LENGTH } from '../../extents/batches.ts'
import { differenceExtents } from '../../extents/difference-extents.ts'
import type { ExtentTable } from '../../extents/extent-table.ts'
import type { StackGroup } from '../../formats/volume-stack/volume.ts'
import { mappedImage } from '../../images/mapped-image.ts'

/**
 * The map of an image down to the disks, as it was last read. Its devices are numbered as the open disks are; the text
 * of a group, which numbers its own, may be written anew in another order.
 */
export class DiskMap {
  #table: ExtentTable
  /** By the number of the group's device, the number of the disk. */
  #disks: readonly (number | null)[]

  constructor(table: ExtentTable, group: StackGroup) {
    this.#table = table
    this.#disks = diskNumbers(group)
  }

  get sizeBytes(): number {
    return this.#table.sizeBytes
  }

  *extents(range: Range): Generator<ExtentBatch> {
    let batch: Extent[] = []
    // Who walks it while another map takes its place walks the one that there was.
    const disks = this.#disks
    for (const extent of this.#table.extentsIn(range)) {
      batch.push(extent.kind === 'data' ? { ...extent, device: diskOf(disks, extent.device) } : extent)
      if (batch.length < BATCH_LENGTH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }

  /** Takes the place of the map that there was, and tells what lies elsewhere now. */
  async replace(table: ExtentTable, group: StackGroup): Promise<readonly Range[]> {
    const next = new DiskMap(table, group)
    const whole = { offset: 0, length: this.sizeBytes }
    if (next.sizeBytes < this.sizeBytes) throw shrank(this.sizeBytes, next.sizeBytes)
    const moved: Range[] = []
    for await (const batch of differenceExtents(this.extents(whole), next.extents(whole)))
      moved.push(...batch)
    this.#table = next.#table
    this.#disks = next.#disks
    return moved
  }

  /** The bytes, read where this map says they lie. */
  image(disks: readonly FrozenImage[]): FrozenImage {
    const layers = disks.map((image, device) => ({ image, device, isMapped: false }))
    const { sizeBytes } = this
    const lookup = {
      sizeBytes,
      extentsIn: (range: Range): Iterable<Extent> => flat(this.extents(range)),
    }
    return mappedImage(lookup, layers)
  }
}

function diskOf(disks: readonly (number | null)[], device: number): number {
  const disk = disks[device]
  if (disk !== null && disk !== undefined) return disk
  const message = `Cannot read the image: some of it lies on a disk that came to the volume group after the backup began, required is that the group keeps its disks meanwhile`
  throw new BackupError(ErrorCode.SourceChanged, message)
}

function diskNumbers({ devices }: StackGroup): readonly (number | null)[] {
  return devices.map((device) => (device?.origin.kind === 'image' ? device.origin.index : null))
}

function* flat(batches: Iterable<ExtentBatch>): Generator<Extent> {
  for (const batch of batches) yield* batch
}

function shrank(from: number, to: number): BackupError {
  const message = `Cannot read the image: it has ${to} bytes now, it had ${from} when it was frozen`
  return new BackupError(ErrorCode.ImageLost, message)
}
