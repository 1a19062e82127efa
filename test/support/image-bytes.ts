import assert from 'node:assert/strict'
import { read } from 'node:fs'
import { promisify } from 'node:util'

import type { ImageDevice, ProvidedImage } from '../../src/capture/provider/provided-image.ts'
import type { Extent } from '../../src/domain/extent.ts'
import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import { endOf, type Range, type RangeBatch } from '../../src/domain/range.ts'
import { allocateAligned } from '../../src/linux/aligned-memory.ts'
import { BounceMemory } from '../../src/linux/bounce-buffers.ts'

const readDescriptor = promisify(read)
const PIECE_BYTES = 1024 * 1024
const PAGE_BYTES = 4096
const pieces = new BounceMemory({ sizeBytes: PIECE_BYTES, allocate: allocateAligned })
/** Under a writer what moves is asked for again; that it moves all the time is a failure. */
const IDENTIFY_COUNT_MAX = 50

/** All bytes of an image, as it gives them itself. */
export async function readBytes(image: FrozenImage): Promise<Buffer> {
  const bytes = Buffer.alloc(image.sizeBytes)
  for (let offset = 0; offset < bytes.byteLength; offset += PIECE_BYTES) {
    await image.readInto(bytes.subarray(offset, offset + PIECE_BYTES), offset)
  }
  return bytes
}

/** An image whose bytes are read from elsewhere, where its map says that they lie. */
export type MappedImage = Pick<ProvidedImage, 'identify'> & {
  readonly image: FrozenImage
  /** Fills `target` with what lies at `offset` of the device that the map calls `device`. */
  readDevice(device: number, offset: number, target: Buffer): Promise<void>
}

/** All bytes of a provider's image, read from its devices, directly where they do direct I/O. */
export async function readRaw(provided: ProvidedImage, signal: AbortSignal): Promise<Buffer> {
  const { image, devices } = provided
  const readDevice: MappedImage['readDevice'] = async (number, offset, target) => {
    const device = devices[number]
    assert.ok(device, `the map names device ${number}, there are ${devices.length}`)
    await readPages(device, offset, target)
  }
  return await readMapped({ image, readDevice, identify: (asked) => provided.identify(asked) }, signal)
}

/** All bytes of an image, read where its map says; then what moved meanwhile once more, until nothing moves. */
export async function readMapped(mapped: MappedImage, signal: AbortSignal): Promise<Buffer> {
  const bytes = Buffer.alloc(mapped.image.sizeBytes, 0xa5)
  const whole = { offset: 0, length: bytes.byteLength }
  let wanted: readonly Range[] = [whole]
  for (let count = 0; wanted.length > 0; count += 1) {
    assert.ok(count < IDENTIFY_COUNT_MAX, `the map was still changing after ${count} questions`)
    for (const range of wanted) await readRange(mapped, { range, bytes }, signal)
    wanted = await mapped.identify(signal)
  }
  return bytes
}

async function readRange(
  mapped: MappedImage,
  { range, bytes }: { readonly range: Range; readonly bytes: Buffer },
  signal: AbortSignal,
): Promise<void> {
  let position = range.offset
  for await (const batch of mapped.image.extents(range, signal)) {
    for (const extent of batch) {
      assert.equal(extent.offset, position, 'the map has gaps, or is out of order')
      position = endOf(extent)
      assert.ok(position <= endOf(range), 'the map goes on beyond what was asked for')
      await readExtent(mapped, extent, bytes.subarray(extent.offset, position))
    }
  }
  assert.equal(position, endOf(range), 'the map ends too early')
}

async function readExtent(mapped: MappedImage, extent: Extent, target: Buffer): Promise<void> {
  switch (extent.kind) {
    case 'zero':
      target.fill(0)
      return
    case 'inline':
      target.set(extent.bytes)
      return
    case 'data':
      await mapped.readDevice(extent.device, extent.physicalOffset, target)
  }
}

/** Direct I/O takes whole pages: what is around the bytes is read with them. */
async function readPages(device: ImageDevice, offset: number, target: Buffer): Promise<void> {
  using memory = pieces.borrow()
  for (let done = 0; done < target.byteLength;) {
    const wanted = offset + done
    const start = wanted - (wanted % PAGE_BYTES)
    const pages = Math.ceil((offset + target.byteLength - start) / PAGE_BYTES)
    const end = Math.min(start + Math.min(pages * PAGE_BYTES, PIECE_BYTES), device.sizeBytes)
    const { bytesRead } = await readDescriptor(device.fd, memory.bytes, 0, end - start, start)
    const piece = memory.bytes.subarray(
      wanted - start,
      Math.min(bytesRead, offset + target.byteLength - start),
    )
    assert.ok(piece.byteLength > 0, `"${device.path}" ends at ${start + bytesRead}`)
    target.set(piece, done)
    done += piece.byteLength
  }
}

/** Fails when a byte differs that no range covers, or ranges are not what they must be. How many bytes differ. */
export async function assertCovers(
  ranges: AsyncIterable<RangeBatch>,
  {
    before,
    after,
    where,
  }: { readonly before: Uint8Array; readonly after: Uint8Array; readonly where: string },
): Promise<number> {
  let changedBytes = 0
  let position = 0
  const requireSame = (end: number): void => {
    if (Buffer.compare(before.subarray(position, end), after.subarray(position, end)) !== 0) {
      while (before[position] === after[position]) position += 1
      assert.fail(`${where}: no change is told of byte ${position}`)
    }
    position = end
  }
  for await (const batch of ranges) {
    for (const range of batch) {
      assert.ok(range.length >= 1 && range.offset >= position, `${where}: ranges out of order`)
      assert.ok(endOf(range) <= after.byteLength, `${where}: a range goes beyond the image`)
      requireSame(range.offset)
      for (; position < endOf(range); position += 1)
        if (after[position] !== before[position]) changedBytes += 1
    }
  }
  requireSame(after.byteLength)
  return changedBytes
}
