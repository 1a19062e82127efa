import assert from 'node:assert/strict'

import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { endOf, type Range } from '../domain/range.ts'
import { BATCH_LENGTH, type Batches } from './batches.ts'
import { cutExtent } from './cut-extent.ts'
import { normaliseExtents } from './normalise-extents.ts'
import { NumberColumn } from './number-column.ts'

/** 24 bytes an extent: 16 million are 16 TiB in pieces of 1 MiB, and 384 MB. More is not held in memory. */
const TABLE_EXTENTS_MAX = 16_000_000
/** Inline bytes come on top; a map that is mostly inline is not a map of a disk. */
const TABLE_INLINE_BYTES_MAX = 64 * 2 ** 20

/** What stands in the column of devices for extents that have none. */
const ZERO = -1
const INLINE = -2

/** A whole map in memory, normalised, to be asked about any range. */
export class ExtentTable {
  readonly sizeBytes: number
  readonly #offsets = new NumberColumn()
  readonly #devices = new NumberColumn()
  readonly #physicalOffsets = new NumberColumn()
  readonly #inline = new Map<number, Uint8Array>()
  #inlineBytes = 0

  private constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes
  }

  /** Throws RangeError when the map does not cover 0 to `sizeBytes`, or does not fit into memory. */
  static async read(
    map: Batches<Extent>,
    options: { readonly sizeBytes: number; readonly extentCountMax?: number },
  ): Promise<ExtentTable> {
    const { sizeBytes, extentCountMax = TABLE_EXTENTS_MAX } = options
    const table = new ExtentTable(sizeBytes)
    for await (const batch of normaliseExtents(map, { endOffset: sizeBytes })) {
      for (const extent of batch) table.#add(extent)
      if (table.count > extentCountMax || table.#inlineBytes > TABLE_INLINE_BYTES_MAX) {
        throw new RangeError(
          `Cannot hold map in memory: found ${table.count} extents and ${table.#inlineBytes} inline bytes, ` +
            `limits are ${extentCountMax} and ${TABLE_INLINE_BYTES_MAX}`,
        )
      }
    }
    return table
  }

  /** Extents after normalisation. */
  get count(): number {
    return this.#offsets.length
  }

  /** The extents of `range`, cut to it, ascending. Throws RangeError when the range is not within the map. */
  *extentsIn(range: Range): Generator<Extent> {
    const end = endOf(range)
    if (end > this.sizeBytes) {
      throw new RangeError(
        `Cannot look up ${range.offset}+${range.length}: image has ${this.sizeBytes} bytes`,
      )
    }
    let position = range.offset
    for (let index = this.#offsets.lastAtMost(position); position < end; index += 1) {
      const extent = this.#extentAt(index)
      const length = Math.min(end, endOf(extent)) - position
      yield cutExtent(extent, { offset: position, length })
      position += length
    }
  }

  /** The same, in batches. */
  *batches(range: Range): Generator<ExtentBatch> {
    let batch: Extent[] = []
    for (const extent of this.extentsIn(range)) {
      batch.push(extent)
      if (batch.length < BATCH_LENGTH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }

  #add(extent: Extent): void {
    this.#offsets.push(extent.offset)
    this.#physicalOffsets.push(extent.kind === 'data' ? extent.physicalOffset : 0)
    switch (extent.kind) {
      case 'data':
        return this.#devices.push(extent.device)
      case 'zero':
        return this.#devices.push(ZERO)
      case 'inline':
        this.#inline.set(this.#devices.length, extent.bytes)
        this.#inlineBytes += extent.bytes.byteLength
        return this.#devices.push(INLINE)
    }
  }

  #extentAt(index: number): Extent {
    const offset = this.#offsets.at(index)
    const length = (index + 1 < this.count ? this.#offsets.at(index + 1) : this.sizeBytes) - offset
    const device = this.#devices.at(index)
    if (device === ZERO) return { kind: 'zero', offset, length }
    if (device !== INLINE) {
      return { kind: 'data', offset, length, device, physicalOffset: this.#physicalOffsets.at(index) }
    }
    const bytes = this.#inline.get(index)
    assert(bytes !== undefined)
    return { kind: 'inline', offset, length, bytes }
  }
}
