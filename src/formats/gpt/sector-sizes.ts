import type { FrozenImage } from '../../domain/frozen-image.ts'

const USUAL_SIZES: readonly number[] = [512, 4096]
const SIZE_MAX_BYTES = 64 * 1024

/** The sector sizes to look for a table with, the likeliest first; always at least one. */
export function gptSectorSizes(image: FrozenImage): number[] {
  const own = image.sectorSizeBytes
  const isUsable = own >= 512 && own <= SIZE_MAX_BYTES
  return [...new Set([...(isUsable ? [own] : []), ...USUAL_SIZES])]
}
