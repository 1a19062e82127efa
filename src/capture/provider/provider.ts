import type { Degraded } from '../../domain/ledger.ts'
import type { HeldImage } from './held-image.ts'
import type { ProvidedImage } from './provided-image.ts'

/** A way of freezing. What all of them promise is what `providerConformance()` tests. */
export type Provider = {
  readonly name: string
  /**
   * Freezes all sources in one moment. Throws what is in the way, with nothing left behind: SOURCE_UNSUITABLE where
   * this provider cannot freeze the source, NO_ROOM_TO_FREEZE where that would endanger production.
   */
  freeze(request: FreezeRequest, signal: AbortSignal): Promise<FrozenGroup>
  /** What this provider holds on this host, whoever made it and however long ago. */
  held(signal: AbortSignal): Promise<readonly HeldImage[]>
  /** Frees an image and its space. One that is gone already is no error. */
  release(image: HeldImage, signal: AbortSignal): Promise<void>
}

export type FreezeRequest = {
  /** As the user named them: paths of volumes, mount points, files. */
  readonly sources: readonly string[]
  /** Names the lineage and the repository, as `lineageKeyOf()` makes it: images of another are never taken for a base. */
  readonly lineageKey: string
  /** Until when images are held for a run that says nothing more: milliseconds since 1970. */
  readonly leaseEndsAtMs: number
  /** The process that holds them meanwhile: letters, digits and dots. */
  readonly owner: string
  /** So long the writers of several sources may wait for their one moment; by default 10 s. */
  readonly freezeDeadlineMs?: number
  /** Called when all is frozen and only the images are left to be opened: whoever brought the sources to rest lets them go on. */
  readonly whenFrozen?: () => Promise<void>
}

/**
 * Images frozen in one moment, in the order of their sources. To dispose of the group releases those that were not
 * kept.
 */
export type FrozenGroup = AsyncDisposable & {
  readonly images: readonly ProvidedImage[]
  /** From the first writer that may have waited until the last that went on; null where no writer waits. */
  readonly windowMs: number | null
  readonly degraded: readonly Degraded[]
  /** Aborted when the images had to be given up, with the reason: whoever reads them stops. Absent where that cannot be. */
  readonly lost?: AbortSignal
  /**
   * Makes the images the base of their lineage for the point `pointId`, and releases the base before. What was kept
   * outlives the process and the host's next start. A provider that knows no changes has no use for a base: its images
   * are released all the same.
   */
  keep(pointId: string, signal: AbortSignal): Promise<void>
}
