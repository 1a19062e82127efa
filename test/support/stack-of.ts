import assert from 'node:assert/strict'

import { endOf, type Range } from '../../src/domain/range.ts'
import { FreeSpace } from '../../src/formats/volume-stack/free-space.ts'
import { openVolumeStack } from '../../src/formats/volume-stack/open-volume-stack.ts'
import type { Volume, VolumeStack } from '../../src/formats/volume-stack/volume.ts'
import { volumeLayer } from '../../src/formats/volume-stack/volume-layer.ts'
import { bytesImage } from './bytes-image.ts'

const NEVER = new AbortController().signal

/** What lies on the bytes of some disks, named `disk0`, `disk1` and so on; one alone has no name. */
export async function stackOf(...disks: readonly Uint8Array[]): Promise<VolumeStack> {
  const images = disks.map((bytes, index) => ({ name: `disk${index}`, image: bytesImage(bytes) }))
  return await openVolumeStack(images, NEVER)
}

export function volumeNamed(stack: VolumeStack, name: string): Volume {
  const found = stack.volumes.find((volume) => volume.name === name)
  assert(found !== undefined, `${name} is one of ${stack.volumes.map((volume) => volume.name).join(', ')}`)
  return found
}

/** What is proven free on each of the images. */
export async function freeOnImages(stack: VolumeStack, atLeastBytes = 1): Promise<(readonly Range[])[]> {
  const free = new FreeSpace(stack, { atLeastBytes, signal: NEVER })
  const images = stack.volumes.filter(({ origin }) => origin.kind === 'image')
  return await Promise.all(images.map((image) => free.of(image)))
}

export function bytesOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, range) => sum + range.length, 0)
}

/** Fails unless `ranges` ascend, do not touch, and lie within `sizeBytes`. */
export function assertRanges(ranges: readonly Range[], sizeBytes: number): void {
  let end = -1
  for (const range of ranges) {
    assert(range.offset > end && range.length > 0, 'ascending, apart')
    end = endOf(range)
  }
  assert(end <= sizeBytes)
}

/** Fails where a byte that a file system of the stack uses is called free. */
export async function assertNothingUsedIsFree(stack: VolumeStack): Promise<void> {
  const free = await freeOnImages(stack)
  for (const volume of stack.volumes) {
    if (volume.content.kind !== 'file-system') continue
    const layer = volumeLayer(volume)
    for await (const batch of volume.content.fileSystem.usedRanges(NEVER)) {
      for (const range of batch) {
        for (const extent of layer.extentsIn(range)) {
          if (extent.kind !== 'data') continue
          const used = { offset: extent.physicalOffset, length: extent.length }
          const hit = firstOverlap(free[extent.device] ?? [], used)
          assert(
            hit === undefined,
            `${volume.name} uses ${JSON.stringify(used)} of image ${extent.device}, ${JSON.stringify(hit)} is free`,
          )
        }
      }
    }
  }
}

/** By halves: there are many. */
function firstOverlap(free: readonly Range[], used: Range): Range | undefined {
  let low = 0
  let high = free.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = free[middle]
    if (range !== undefined && endOf(range) <= used.offset) low = middle + 1
    else high = middle
  }
  const found = free[low]
  return found !== undefined && found.offset < endOf(used) ? found : undefined
}
