import type { Degraded, FreezeRecord, ImageRecord } from '../../domain/ledger.ts'
import type { Transport } from '../../domain/run-mode.ts'
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
   * Whether all that was read of `image()` since this was asked before was read where it lies. Absent where it is read as
   * the system shows it.
   */
  readonly isLookedRight?: (signal: AbortSignal) => Promise<boolean>
  /**
   * Ends when the challenge is over that began when the source was opened: before that nothing that `image()` showed is to
   * be believed, and nobody asks what moved. Throws CHALLENGE_FAILED. Absent where nothing is challenged.
   */
  readonly challenged?: () => Promise<void>
  /** As that of the mover's sources. */
  readonly challenge?: (signal: AbortSignal) => Promise<number>
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
  /** How the bytes come, and how they should have come. Absent for images of this host. */
  readonly transport?: { readonly requested: Transport; readonly done: Transport }
  /** How they were brought to rest where that was not this program's work. */
  readonly freeze?: FreezeRecord | null
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

/** Compares ranges of each of them with what its agent reads. */
export async function challengeAll(parts: readonly FrozenPart[], signal: AbortSignal): Promise<number> {
  let count = 0
  for (const part of parts) count += (await part.challenge?.(signal)) ?? 0
  return count
}
