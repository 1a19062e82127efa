import type { Degraded, ImageRecord } from '../../domain/ledger.ts'
import type { Range } from '../../domain/range.ts'
import type { MovedExtents, RangeStream } from '../../mover/backup-source.ts'
import type { OpenedSource } from '../open-source.ts'

/** What is known of a source because icecore froze it. */
export type FrozenPart = {
  readonly record: Omit<ImageRecord, 'movedBytes' | 'challengeCount'>
  /** What lies elsewhere now than when this was asked before, or the map was made. Throws IMAGE_LOST. */
  moved(signal: AbortSignal): Promise<readonly Range[]>
  /** The whole map as of the last question, in its compact encoding. */
  map(signal: AbortSignal): Promise<MovedExtents['map']>
  /**
   * What changed since the point `pointId`: null when this way of freezing knows no changes, 'lost' when the image of
   * that point is not held.
   */
  changesSince(pointId: string, signal: AbortSignal): Promise<RangeStream | 'lost' | null>
}

export type FrozenSource = OpenedSource & { readonly frozen: FrozenPart }

/** Sources that icecore froze, by the arguments that named them. */
export type FrozenSources = AsyncDisposable & {
  readonly sources: ReadonlyMap<string, FrozenSource>
  readonly degraded: readonly Degraded[]
  /** Aborted when the images had to be given up, with the reason. */
  readonly lost: AbortSignal
  /** Keeps the images for the next run of the lineage, which then needs to read only what changed. */
  keep(pointId: string, signal: AbortSignal): Promise<void>
}

export function isFrozen(source: OpenedSource): source is FrozenSource {
  return 'frozen' in source
}

/** As the mover asks: what moved, and only then the map, which takes its time to encode. */
export async function identifyFrozen(part: FrozenPart, signal: AbortSignal): Promise<MovedExtents | null> {
  const ranges = await part.moved(signal)
  return ranges.length === 0 ? null : { ranges, map: await part.map(signal) }
}
