import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Extent, ExtentBatch } from '../../domain/extent.ts'
import { endOf, type Range, type RangeBatch } from '../../domain/range.ts'
import { BATCH_LENGTH } from '../../extents/batches.ts'
import { NumberColumn } from '../../extents/number-column.ts'

/** As many as a lane's table of them holds. */
const EXTENTS_MAX = 16_000_000

export type DataExtent = Extract<Extent, { kind: 'data' }>

/** The data extents of an image, added in any order: 32 bytes of memory each. */
export class ExtentColumns {
  readonly #offsets = new NumberColumn()
  readonly #lengths = new NumberColumn()
  readonly #devices = new NumberColumn()
  readonly #physicalOffsets = new NumberColumn()
  #isSorted = true
  #order: Uint32Array | null = null

  /** Throws SOURCE_UNSUITABLE for more than can be held. */
  add({ offset, length, device, physicalOffset }: DataExtent): void {
    const count = this.#offsets.length
    if (count > 0) {
      const last = count - 1
      if (this.#offsets.at(last) > offset) this.#isSorted = false
    }
    if (count >= EXTENTS_MAX) {
      const message = `Cannot back up files: they lie in more than ${EXTENTS_MAX} pieces, required are fewer files, or the whole volume`
      throw new BackupError(ErrorCode.SourceUnsuitable, message)
    }
    this.#offsets.push(offset)
    this.#lengths.push(length)
    this.#devices.push(device)
    this.#physicalOffsets.push(physicalOffset)
    this.#order = null
  }

  /** In order, with zeros between them and up to `sizeBytes`. */
  *map(sizeBytes: number): Generator<ExtentBatch> {
    let position = 0
    let batch: Extent[] = []
    for (const extent of this.#sorted()) {
      if (extent.offset > position)
        batch.push({ kind: 'zero', offset: position, length: extent.offset - position })
      batch.push(extent)
      position = endOf(extent)
      if (batch.length < BATCH_LENGTH) continue
      yield batch
      batch = []
    }
    if (position < sizeBytes) batch.push({ kind: 'zero', offset: position, length: sizeBytes - position })
    if (batch.length > 0) yield batch
  }

  /** Where there is data within `range`, what touches joined. */
  *dataRanges(range: Range): Generator<RangeBatch> {
    let batch: Range[] = []
    let [start, end] = [range.offset, range.offset]
    for (const extent of this.#sorted()) {
      if (endOf(extent) <= range.offset) continue
      if (extent.offset >= endOf(range)) break
      const from = Math.max(extent.offset, range.offset)
      if (from > end) {
        if (end > start) batch.push({ offset: start, length: end - start })
        start = from
      }
      end = Math.min(endOf(extent), endOf(range))
      if (batch.length < BATCH_LENGTH) continue
      yield batch
      batch = []
    }
    if (end > start) batch.push({ offset: start, length: end - start })
    if (batch.length > 0) yield batch
  }

  *#sorted(): Generator<DataExtent> {
    const order = this.#isSorted ? null : (this.#order ??= this.#sort())
    for (let place = 0; place < this.#offsets.length; place += 1) {
      const index = order?.[place] ?? place
      yield {
        kind: 'data',
        offset: this.#offsets.at(index),
        length: this.#lengths.at(index),
        device: this.#devices.at(index),
        physicalOffset: this.#physicalOffsets.at(index),
      }
    }
  }

  #sort(): Uint32Array {
    const order = Uint32Array.from({ length: this.#offsets.length }, (_, index) => index)
    return order.toSorted((a, b) => this.#offsets.at(a) - this.#offsets.at(b))
  }
}
