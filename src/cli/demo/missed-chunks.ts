import { alignRanges } from '../../extents/align-ranges.ts'
import { subtractRanges } from '../../extents/subtract-ranges.ts'
import { countChunks } from '../../mover/witnesses.ts'
import type { WrongList } from './withhold-ranges.ts'

/** The chunks that a wrong list calls unchanged though they differ. */
export async function missedChunkCount(
  list: WrongList,
  image: { readonly chunkSizeBytes: number; readonly sizeBytes: number },
): Promise<number> {
  const missed = subtractRanges(alignRanges([list.withheld], image), alignRanges([list.kept], image))
  return await countChunks(missed, image.chunkSizeBytes)
}
