// What the algebra of extents must mean, said byte by byte: slow, obvious, and the judge of every operation.
import assert from 'node:assert/strict'

import * as fc from 'fast-check'

import type { Batches } from '../../src/extents/batches.ts'
import type { Extent } from '../../src/domain/extent.ts'
import type { Range } from '../../src/domain/range.ts'

/** Any cut of `items` into batches, empty ones too. */
function inBatches<T>(items: fc.Arbitrary<T[]>): fc.Arbitrary<T[][]> {
  return fc.tuple(items, fc.array(fc.nat(4))).map(([all, sizes]) => {
    let start = 0
    const batches = sizes.map((size) => all.slice(start, (start += size)))
    return [...batches, all.slice(start)]
  })
}

/** Ranges in order, some of them touching. */
export const anyRanges: fc.Arbitrary<Range[][]> = inBatches(
  fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 9 })), { maxLength: 12 }).map((steps) => {
    let position = 0
    return steps.map(([gap, length]) => {
      const offset = position + gap
      position = offset + length
      return { offset, length }
    })
  }),
)

/** A few ranges in any order, overlapping or not, in 64 bytes. */
export const anyRangeList: fc.Arbitrary<Range[]> = fc.array(
  fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 20 })).map(([offset, length]) => ({ offset, length })),
  { maxLength: 8 },
)

const anyPiece = fc.record({
  kind: fc.constantFrom('data' as const, 'zero' as const, 'inline' as const, 'gap' as const),
  length: fc.integer({ min: 1, max: 9 }),
  device: fc.nat(1),
  // Few places, so that extents meet, repeat and continue each other.
  physicalOffset: fc.option(fc.nat(30)),
  fill: fc.nat(2),
})

/** Maps that cover 0 to their size, by pieces of up to 9 bytes on two devices of 40 bytes. */
export const anyMap: fc.Arbitrary<Extent[][]> = mapsOf(false)
/** The same with gaps: what a map of altered extents looks like. */
export const anyPartialMap: fc.Arbitrary<Extent[][]> = mapsOf(true)
/** The size of the devices of these maps. */
export const DEVICE_BYTES = 39

function mapsOf(gaps: boolean): fc.Arbitrary<Extent[][]> {
  return inBatches(
    fc.array(anyPiece, { maxLength: 12 }).map((pieces) => {
      let offset = 0
      let physicalEnd = 0
      const extents: Extent[] = []
      for (const { kind, length, device, physicalOffset: place, fill } of pieces) {
        if (kind === 'data') {
          // Without a place of its own a piece continues the one before, if that does not leave the device.
          const physicalOffset = place ?? Math.min(physicalEnd, DEVICE_BYTES - length)
          extents.push({ kind, offset, length, device, physicalOffset })
          physicalEnd = physicalOffset + length
        } else if (kind === 'inline') {
          extents.push({ kind, offset, length, bytes: new Uint8Array(length).fill(fill) })
        } else if (kind === 'zero' || !gaps) {
          extents.push({ kind: 'zero', offset, length })
        }
        offset += length
      }
      return extents
    }),
  )
}

export function sizeOf(batches: readonly (readonly Range[])[]): number {
  return Math.max(0, ...batches.flat().map(({ offset, length }) => offset + length))
}

/** One boolean a byte: is it in one of the ranges? */
export function membership(batches: readonly (readonly Range[])[], sizeBytes: number): boolean[] {
  const ranges = batches.flat()
  return Array.from({ length: sizeBytes }, (_, byte) =>
    ranges.some(({ offset, length }) => offset <= byte && byte < offset + length),
  )
}

/** The fewest ranges that have exactly these bytes. */
export function rangesOf(members: readonly boolean[]): Range[] {
  const ranges: Range[] = []
  for (let byte = 0; byte < members.length; byte += 1) {
    if (members[byte] !== true) continue
    let end = byte
    while (members[end] === true) end += 1
    ranges.push({ offset: byte, length: end - byte })
    byte = end
  }
  return ranges
}

/** One string a byte: what the map says about it; undefined where it says nothing. */
export function ownership(
  batches: readonly (readonly Extent[])[],
  sizeBytes: number,
): (string | undefined)[] {
  const owners: (string | undefined)[] = Array.from({ length: sizeBytes }, () => undefined)
  for (const extent of batches.flat()) {
    for (let byte = 0; byte < extent.length; byte += 1) {
      assert.equal(owners[extent.offset + byte], undefined, 'extents overlap')
      owners[extent.offset + byte] = ownerOf(extent, byte)
    }
  }
  return owners
}

function ownerOf(extent: Extent, byte: number): string {
  switch (extent.kind) {
    case 'data':
      return `${extent.device}@${extent.physicalOffset + byte}`
    case 'zero':
      return 'zero'
    case 'inline':
      return `inline ${extent.bytes[byte]}`
  }
}

/** Fails when the extents could be fewer, or are not ascending. */
export function assertNormal(extents: readonly Extent[]): void {
  for (const [index, next] of extents.entries()) {
    const last = extents[index - 1]
    if (last === undefined) continue
    const end = last.offset + last.length
    assert(next.offset >= end)
    if (next.offset > end) continue
    assert(!(last.kind === 'zero' && next.kind === 'zero'), 'two zero extents could be one')
    if (last.kind !== 'data' || next.kind !== 'data' || last.device !== next.device) continue
    assert.notEqual(next.physicalOffset, last.physicalOffset + last.length, 'two data extents could be one')
  }
}

/** All items of a stream; none of its batches may be empty. */
export async function collect<T>(batches: Batches<T>): Promise<T[]> {
  const items: T[] = []
  for await (const batch of batches) {
    assert(batch.length > 0)
    items.push(...batch)
  }
  return items
}
