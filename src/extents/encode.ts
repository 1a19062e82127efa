import assert from 'node:assert/strict'

import { crc32c } from '../bytes/crc32c.ts'
import { writeStruct } from '../bytes/struct.ts'
import { VarintWriter } from '../bytes/varint.ts'
import type { Extent } from '../domain/extent.ts'
import { endOf } from '../domain/range.ts'
import { BATCH_LENGTH, type Batches } from './batches.ts'
import * as format from './extent-map-format.ts'
import { inOrder } from './in-order.ts'

export type EncodeOptions = {
  /** Of the image: no extent ends beyond it. */
  readonly sizeBytes: number
  /** Of the map's table of devices: every extent names one of them. */
  readonly deviceCount: number
}

/**
 * The map in its compact encoding (docs/formats/extent-map.md), a piece for every few thousand extents. The map may
 * have gaps. Throws RangeError when an extent is not within the image, on an unknown device, or inline and longer
 * than INLINE_SIZE_BYTES_MAX.
 */
export async function* encodeExtents(
  map: Batches<Extent>,
  options: EncodeOptions,
): AsyncGenerator<Uint8Array> {
  assert(options.deviceCount <= format.ENCODED_DEVICES_MAX)
  yield encodeHeader(options)
  let blockStart = 0
  let end = 0
  let extents: Extent[] = []
  let inlineSizeBytes = 0
  for await (const batch of inOrder(map)) {
    for (const extent of batch) {
      requireEncodable(extent, options)
      extents.push(extent)
      end = endOf(extent)
      if (extent.kind === 'inline') inlineSizeBytes += extent.length
      if (extents.length < BATCH_LENGTH && inlineSizeBytes < format.BLOCK_INLINE_SIZE_BYTES) continue
      yield encodeBlock(extents, blockStart)
      blockStart = end
      extents = []
      inlineSizeBytes = 0
    }
  }
  if (extents.length > 0) yield encodeBlock(extents, blockStart)
  yield encodeBlock([], end)
}

function encodeHeader({ sizeBytes, deviceCount }: EncodeOptions): Uint8Array {
  const header = new Uint8Array(format.HEADER_SIZE_BYTES)
  const values = {
    magic: format.EXTENT_MAP_MAGIC,
    version: format.EXTENT_MAP_VERSION,
    deviceCount,
    sizeBytes,
    reserved: 0,
    checksum: 0,
  }
  writeStruct(format.HEADER, header, values)
  const checksum = crc32c(header.subarray(0, format.HEADER.checksum[0]))
  writeStruct(format.HEADER, header, { ...values, checksum })
  return header
}

/** The block of `extents`, which begins at `offset`: where the block before ended. */
function encodeBlock(extents: readonly Extent[], offset: number): Uint8Array {
  const unitShift = unitShiftOf(extents, offset)
  const writer = new BlockWriter(offset, 2 ** unitShift)
  for (const extent of extents) writer.write(extent)
  const entries = writer.take()
  assert(entries.byteLength <= format.BLOCK_ENTRIES_SIZE_BYTES_MAX)
  assert(writer.entryCount <= format.BLOCK_ENTRIES_MAX)

  const block = new Uint8Array(format.BLOCK_SIZE_BYTES + entries.byteLength)
  const values = {
    offset,
    entryCount: writer.entryCount,
    entriesSizeBytes: entries.byteLength,
    unitShift,
    reserved: new Uint8Array(3),
    checksum: 0,
  }
  writeStruct(format.BLOCK, block, values)
  block.set(entries, format.BLOCK_SIZE_BYTES)
  const checksum = crc32c(entries, crc32c(block.subarray(0, format.BLOCK.checksum[0])))
  writeStruct(format.BLOCK, block, { ...values, checksum })
  return block
}

/** The largest power of two that divides every number of the block, inline lengths aside, as its exponent. */
function unitShiftOf(extents: readonly Extent[], offset: number): number {
  // `|` sees the low 32 bits of any safe integer, which is all that matters below the largest unit.
  let bits = 2 ** format.UNIT_SHIFT_MAX
  let position = offset
  for (const extent of extents) {
    bits |= extent.offset - position
    if (extent.kind !== 'inline') bits |= extent.length
    if (extent.kind === 'data') bits |= extent.physicalOffset
    position = endOf(extent)
  }
  return 31 - Math.clz32(bits & -bits)
}

class BlockWriter {
  readonly #writer = new VarintWriter()
  readonly #unitBytes: number
  #position: number
  #device = 0
  #physicalEnd = 0
  #entryCount = 0

  constructor(offset: number, unitBytes: number) {
    this.#position = offset
    this.#unitBytes = unitBytes
  }

  get entryCount(): number {
    return this.#entryCount
  }

  write(extent: Extent): void {
    const writer = this.#writer
    if (extent.offset > this.#position) {
      writer.writeTagged((extent.offset - this.#position) / this.#unitBytes, format.GAP)
      this.#entryCount += 1
    }
    switch (extent.kind) {
      case 'data':
        this.#writeData(extent)
        break
      case 'zero':
        writer.writeTagged(extent.length / this.#unitBytes, format.ZERO)
        break
      case 'inline':
        writer.writeTagged(extent.length, format.INLINE)
        writer.writeBytes(extent.bytes)
        break
    }
    this.#entryCount += 1
    this.#position = endOf(extent)
  }

  take(): Uint8Array {
    return this.#writer.take()
  }

  #writeData({ length, device, physicalOffset }: Extract<Extent, { kind: 'data' }>): void {
    const writer = this.#writer
    if (device === this.#device) {
      writer.writeTagged(length / this.#unitBytes, format.DATA)
    } else {
      writer.writeTagged(length / this.#unitBytes, format.DATA_ON)
      writer.writeUnsigned(device)
    }
    writer.writeSigned((physicalOffset - this.#physicalEnd) / this.#unitBytes)
    this.#device = device
    this.#physicalEnd = physicalOffset + length
  }
}

function requireEncodable(extent: Extent, { sizeBytes, deviceCount }: EncodeOptions): void {
  assert(extent.kind !== 'inline' || extent.bytes.byteLength === extent.length)
  const isWithin = endOf(extent) <= sizeBytes
  const isFit =
    extent.kind === 'data'
      ? extent.device < deviceCount && Number.isSafeInteger(extent.physicalOffset + extent.length)
      : extent.kind === 'zero' || extent.length <= format.INLINE_SIZE_BYTES_MAX
  if (isWithin && isFit) return
  throw new RangeError(
    `Cannot encode ${extent.kind} extent ${extent.offset}+${extent.length}: image has ${sizeBytes} bytes and ` +
      `${deviceCount} devices, inline extents at most ${format.INLINE_SIZE_BYTES_MAX} bytes`,
  )
}
