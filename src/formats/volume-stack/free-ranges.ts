import type { Range } from '../../domain/range.ts'
import { FreeSpace, type FreeOptions } from './free-space.ts'
import type { Volume, VolumeStack } from './volume.ts'

/** What is proven free on one volume, ascending, not overlapping. Of several, FreeSpace reads each layer once. */
export async function freeRanges(
  stack: VolumeStack,
  volume: Volume,
  options: FreeOptions,
): Promise<readonly Range[]> {
  return await new FreeSpace(stack, options).of(volume)
}
