import type { Range } from '../domain/range.ts'
import { endOf } from '../domain/range.ts'

const BAR_WIDTH = 48
/** By how much of a cell is in use, from nothing to all of it. */
const SHADES = ['·', '░', '▒', '▓', '█']

/** A picture of a volume from its first byte to its last: the darker, the more of that part is in use. */
export function usageBar(sizeBytes: number, free: readonly Range[]): string {
  const cellBytes = sizeBytes / BAR_WIDTH
  const freeBytes = new Float64Array(BAR_WIDTH)
  for (const range of free) {
    const last = Math.min(BAR_WIDTH - 1, Math.floor((endOf(range) - 1) / cellBytes))
    for (let cell = Math.floor(range.offset / cellBytes); cell <= last; cell += 1) {
      const start = Math.max(range.offset, cell * cellBytes)
      freeBytes[cell] = (freeBytes[cell] ?? 0) + Math.min(endOf(range), (cell + 1) * cellBytes) - start
    }
  }
  return Array.from(freeBytes, (bytes) => shade(1 - bytes / cellBytes)).join('')
}

/** Neither a little nor all but a little is rounded away. */
function shade(usedShare: number): string {
  const last = SHADES.length - 1
  const epsilon = 1e-9
  if (usedShare <= epsilon) return SHADES[0] ?? ''
  if (usedShare >= 1 - epsilon) return SHADES[last] ?? ''
  return SHADES[Math.min(last - 1, 1 + Math.floor(usedShare * (last - 1)))] ?? ''
}
